"""The Universal Sentence Encoder over padded texts, in which form it can be exported."""

from typing import Any, Final

from shopglot.learn.e5_small import character_map
from shopglot.learn.use import CONVOLUTIONS, UniversalSentenceEncoder
from shopglot.pack.trim import Rows

_JOINED: Final = ("proj", "proj_b", "ln_g", "ln_b")
_LAYERS: Final = ("1", "2")


def padded_module(encoder: UniversalSentenceEncoder, rows: Rows | None) -> Any:
    """Return a torch module of `input_ids` and `attention_mask` that gives the unit vectors of `encoder`.

    `rows` are the pieces it keeps. The sums are those of `UniversalSentenceEncoder`; what stands outside a text is
    zero before every convolution, as it is there.
    """
    import torch
    from torch.nn.functional import conv1d, layer_norm, normalize, pad

    w, epsilon = encoder.weights, encoder.epsilon
    joined = {name: torch.cat([w[f"{name}{width}"] for width in CONVOLUTIONS], -1) for name in _JOINED}
    kernels = {
        (layer, width): w[f"w{layer}_{width}"].unflatten(0, (width, -1)).permute(2, 1, 0)
        for layer in _LAYERS
        for width in CONVOLUTIONS
    }
    table = w["table"] if rows is None else w["table"][torch.from_numpy(rows)]

    class Padded(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
        """Vectors, shape (texts, dimensions)."""

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            inside = attention_mask.unsqueeze(-1).to(table.dtype)
            features = convolved(table[input_ids], inside)
            sums, counts = (features * inside).sum(1), inside.sum(1)
            pooled = (sums @ w["cnn_W"] + counts * w["cnn_b"]) / counts.sqrt()
            hidden = torch.relu(pooled @ w["p1"] + torch.relu(pooled @ w["d0"]) @ w["d1"])
            return normalize(torch.tanh(hidden @ w["p3"] + torch.relu(hidden @ w["d2"]) @ w["d3"]), dim=-1)

    def convolved(embedded: Any, inside: Any) -> Any:
        projected = embedded @ joined["proj"] + joined["proj_b"]
        normal = layer_norm(projected, joined["ln_g"].shape, joined["ln_g"], joined["ln_b"], epsilon)
        columns = [embedded]
        for part, (width, before) in zip(normal.chunk(len(CONVOLUTIONS), -1), CONVOLUTIONS.items(), strict=True):
            hidden = part
            for layer in _LAYERS:
                around = pad((hidden * inside).transpose(1, 2), (before, width - 1 - before))
                summed = conv1d(around, kernels[layer, width], w[f"b{layer}_{width}"]).transpose(1, 2)
                hidden = torch.relu(summed) + hidden
            columns.append(hidden)
        features = torch.cat(columns, -1)
        return layer_norm(features, w["ln_g"].shape, w["ln_g"], w["ln_b"], epsilon)

    return Padded()


def unigram_tokenizer(pieces: Any) -> str:
    """Return a sentencepiece processor as a tokenizer of the `tokenizers` library, written as JSON."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    numbered = range(pieces.get_piece_size())
    vocabulary = [(pieces.id_to_piece(number), pieces.get_score(number)) for number in numbered]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=pieces.unk_id(), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(character_map(pieces.serialized_model_proto())),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = (pieces.id_to_piece(number) for number in (pieces.bos_id(), pieces.eos_id()))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, pieces.bos_id()), (eos, pieces.eos_id())]
    )
    return str(tokenizer.to_str())
