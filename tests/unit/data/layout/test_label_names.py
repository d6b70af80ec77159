import json

from burnish.data.layout.label_names import label_names


def test_names_of_classes_are_read_from_the_metadata_of_the_hub() -> None:
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["bad", "good"], "_type": "ClassLabel"},
        "ner_tags": {"feature": {"names": ["O", "B-x"], "_type": "ClassLabel"}, "_type": "Sequence"},
        "pos": [{"names": ["N", "V"], "_type": "ClassLabel"}],
    }
    metadata = {"ARROW:schema": "…", "huggingface": json.dumps({"info": {"features": features}})}
    assert label_names(metadata) == {"label": ("bad", "good"), "ner_tags": ("O", "B-x"), "pos": ("N", "V")}


def test_metadata_of_another_kind_names_nothing() -> None:
    for text in ("", "[]", "{}", '{"info": {"features": []}}', '{"info": null}'):
        assert label_names({"huggingface": text}) == {}
    assert label_names({}) == {}
