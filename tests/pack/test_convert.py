import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.files import read_json, write_json
from shopglot.core.scores import Encoder
from shopglot.merge.blend import Blend, Mean
from shopglot.pack.bundle import Bundle
from shopglot.pack.convert import Packer
from shopglot.pack.settings import PackSettings
from shopglot.pack.source import Source
from tests import shop
from tests.pack.conftest import PackOnce

KNOWN = shop.pairs()
FP32 = PackSettings(precision="fp32", engine="onnxruntime")
SCORE_WITHOUT_TORCH = """
import sys
from pathlib import Path

import shopglot

bundle = shopglot.load(Path(sys.argv[1]))
bundle.score([shopglot.Pair(task="QC", query="green tea", target="food,tea,green tea")])
print(sorted({"torch", "transformers", "sentence_transformers", "peft", "onnx", "nncf"} & sys.modules.keys()))
"""


@pytest.fixture(scope="module")
def both(embedding: Bundle, packed: PackOnce, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A blend of a packed embedding model, twice, and a packed cross-encoder."""
    assert isinstance(embedding.scorer, Blend)
    vectors = embedding.scorer.scorers["vectors"]
    twice = Blend({"vectors": Mean([vectors, vectors])}, {task: {"vectors": 1.0} for task in KNOWN.tasks})
    own = Packer(KNOWN, FP32, tmp_path_factory.mktemp("packed")).packed(twice)
    scorers = {"vectors": own, "cross": packed("fp32", "onnxruntime")}
    blend = Blend(scorers, {task: {"vectors": 0.5, "cross": 0.5} for task in KNOWN.tasks})
    return replace(embedding, scorer=blend)


def test_packed_sentence_vectors_lead_to_the_same_scores(embedding: Bundle, both: Bundle) -> None:
    assert isinstance(both.scorer, Blend)
    scores = both.scorer.scorers["vectors"].score(KNOWN)
    assert scores == pytest.approx(embedding.scorer.score(KNOWN), abs=1e-5)


def test_an_encoder_that_members_share_is_written_once_and_loaded_once(both: Bundle, tmp_path: Path) -> None:
    both.save(tmp_path / "bundle")
    assert len(list((tmp_path / "bundle").rglob("model.onnx"))) == 2
    assert [folder.name for folder in (tmp_path / "bundle" / "encoders").iterdir()] == ["0"]
    loaded = Bundle.load(tmp_path / "bundle")
    assert loaded.score(KNOWN).probability == pytest.approx(both.score(KNOWN).probability, abs=1e-6)
    again = replace(loaded)
    again.save(tmp_path / "again")
    files = [read_json(tmp_path / name / "manifest.json")["files"] for name in ("bundle", "again")]
    assert files[0] == files[1]


def test_a_packed_bundle_knows_new_category_paths(both: Bundle) -> None:
    grown = both.knowing(["food,tea,white tea"])
    assert isinstance(grown.scorer, Blend)
    assert np.isfinite(grown.score(KNOWN).probability).all()


def test_scoring_with_a_packed_bundle_imports_neither_torch_nor_transformers(both: Bundle, tmp_path: Path) -> None:
    both.save(tmp_path / "bundle")
    command = [sys.executable, "-c", SCORE_WITHOUT_TORCH, str(tmp_path / "bundle")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": "src"})
    assert done.stdout.strip() == "[]", done.stderr


def test_a_cut_network_is_told_in_one_sentence(both: Bundle, tmp_path: Path) -> None:
    both.save(tmp_path / "bundle")
    network = tmp_path / "bundle" / "encoders" / "0" / "model.onnx"
    network.write_bytes(network.read_bytes()[:1000])
    with pytest.raises(BundleError, match=r"model.onnx has changed since .*; copy the bundle again"):
        Bundle.load(tmp_path / "bundle")


def test_a_bundle_of_the_format_before_packing_is_still_read(lexical: Bundle, tmp_path: Path) -> None:
    lexical.save(tmp_path / "bundle")
    manifest = tmp_path / "bundle" / "manifest.json"
    assert read_json(manifest)["format"] == 2
    write_json(manifest, read_json(manifest) | {"format": 1})
    assert Bundle.load(tmp_path / "bundle").score(KNOWN).decision.tolist() == lexical.score(KNOWN).decision.tolist()


def test_a_precision_that_an_engine_lacks_is_refused(embedding: Bundle, tmp_path: Path) -> None:
    packer = Packer(KNOWN, PackSettings(precision="bf16", engine="onnxruntime"), tmp_path)
    with pytest.raises(RecipeError, match=r"bf16 is not to be had with onnxruntime; .* that have it: openvino"):
        packer.packed(embedding.scorer)


def test_an_encoder_that_is_none_of_ours_is_refused() -> None:
    class Double:
        def encode(self, texts: object) -> np.ndarray:
            raise NotImplementedError

    double: Encoder = Double()
    with pytest.raises(RecipeError, match="a Double cannot be packed"):
        Source.of_encoder(double)
