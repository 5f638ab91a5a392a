"""Public Python clients against a running server: `python -m benchmarks.serve_clients [BUNDLE]`.

`CLIENTS` names an environment with cohere, openai, llama-index-postprocessor-tei-rerank and
llama-index-postprocessor-jinaai-rerank, which asks; this one serves the bundle, that of the demo unless named. A client
has understood where it finds the better of two texts, or the reason of an error, in its own objects. Prints JSON lines.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

QUERY = "dog bed"
TEXTS = ["Cat tree", "Orthopedic Dog Bed"]
ADDRESS = "http://127.0.0.1:8126"


def main(bundle: Path) -> None:
    """Serve the bundle, and let the clients' environment ask."""
    from benchmarks.serve_load import server

    serve: list[str | Path] = [sys.executable, "-m", "shopglot", "serve", bundle, "--port", ADDRESS.rpartition(":")[2]]
    with server(serve, f"{ADDRESS}/ready"):
        subprocess.run([f"{os.environ['CLIENTS']}/bin/python", __file__, ADDRESS], check=True)


def ask(url: str) -> None:
    """Ask through each client for the better of two texts."""
    checks: dict[str, Callable[[str], Any]] = {
        "cohere v2": _cohere_v2,
        "cohere v1": _cohere_v1,
        "llama-index-postprocessor-tei-rerank": _tei,
        "llama-index-postprocessor-jinaai-rerank": _jina,
        "openai, for vLLM's score": _vllm_score,
        "openai, for vLLM's classify": _vllm_classify,
        "openai, an error": _vllm_error,
        "cohere, an error": _cohere_error,
    }
    for client, check in checks.items():
        package = client.partition(",")[0].split()[0]
        print(json.dumps({"client": client, "version": version(package), "understood": check(url)}), flush=True)


def _cohere_v2(url: str) -> bool:
    import cohere

    answer = cohere.ClientV2(api_key="any", base_url=url).rerank(model="any", query=QUERY, documents=TEXTS, top_n=1)
    return [each.index for each in answer.results] == [1] and answer.results[0].relevance_score > 0


def _cohere_v1(url: str) -> bool:
    import cohere

    client = cohere.Client(api_key="any", base_url=url)
    answer = client.rerank(model="any", query=QUERY, documents=TEXTS, return_documents=True)
    return [each.document.text for each in answer.results if each.document] == TEXTS[::-1]


def _tei(url: str) -> bool:
    from llama_index.postprocessor.tei_rerank import TextEmbeddingInference

    return _first_node(TextEmbeddingInference(model_name="any", base_url=url, top_n=1))


def _jina(url: str) -> bool:
    from llama_index.postprocessor.jinaai_rerank import JinaRerank

    return _first_node(JinaRerank(api_key="any", base_url=f"{url}/v1", top_n=1))


def _first_node(ranker: Any) -> bool:
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

    nodes = [NodeWithScore(node=TextNode(text=text), score=0.0) for text in TEXTS]
    found = ranker.postprocess_nodes(nodes, QueryBundle(QUERY))
    return [each.node.text for each in found] == TEXTS[1:]


def _vllm_score(url: str) -> bool:
    import openai

    client = openai.OpenAI(api_key="any", base_url=url)
    answer: Any = client.post("/score", cast_to=object, body={"model": "any", "text_1": QUERY, "text_2": TEXTS})
    scores = [each["score"] for each in answer["data"]]
    return bool(scores[1] > scores[0])


def _vllm_classify(url: str) -> bool:
    import openai

    client = openai.OpenAI(api_key="any", base_url=url)
    answer: Any = client.post("/classify", cast_to=object, body={"model": "any", "input": [f"{QUERY}\t{TEXTS[1]}"]})
    return bool(answer["data"][0]["label"] == "relevant")


def _vllm_error(url: str) -> bool:
    import openai

    try:
        openai.OpenAI(api_key="any", base_url=url).post("/score", cast_to=object, body={"model": "any"})
    except openai.UnprocessableEntityError as error:
        return "text_1" in str(error)
    return False


def _cohere_error(url: str) -> bool:
    import cohere

    try:
        cohere.ClientV2(api_key="any", base_url=url).rerank(model="any", query=QUERY, documents=[])
    except cohere.errors.BadRequestError as error:
        return "nothing to judge" in str(error.body)
    return False


if __name__ == "__main__":
    if sys.argv[1:] == [ADDRESS]:
        ask(ADDRESS)
    else:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/demo/bundle"))
