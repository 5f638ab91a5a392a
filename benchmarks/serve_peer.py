"""What one would write in an afternoon: sentence-transformers' CrossEncoder behind FastAPI."""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Body(BaseModel):
    """A query and what is ordered by it."""

    query: str
    documents: list[str]


def create(model: str) -> FastAPI:
    """Return the application around a transformers folder."""
    from sentence_transformers import CrossEncoder

    encoder, app = CrossEncoder(model, device="cpu", max_length=64), FastAPI()

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/rerank")
    def rerank(body: Body) -> list[float]:
        scores = encoder.predict([(body.query, text) for text in body.documents], show_progress_bar=False)
        return [float(score) for score in scores]

    return app


if __name__ == "__main__":
    uvicorn.run(create(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
