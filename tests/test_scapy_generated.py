"""The packet classes are what the definitions say, all of them and nothing else."""

from __future__ import annotations

import io
import pydoc
from contextlib import redirect_stdout

import pytest
from scapy.packet import Packet, ls

from xenmig.core.definitions.structs import Struct
from xenmig.scapy_layers import generate, layers
from xenmig.scapy_layers.records import LibxcRecord, LibxlRecord, Record

DEFINITIONS = {generate.definition_of(struct): struct for found in generate.structs().values() for struct in found}
CLASSES: dict[str, type[Packet]] = {name: getattr(layers, name) for name in layers.__all__}


def test_the_generated_modules_are_up_to_date() -> None:
    stale = [
        name
        for name, text in generate.modules().items()
        if (generate.FOLDER / name).read_text(encoding="utf-8") != text
    ]
    assert not stale, "run: python -m xenmig.scapy_layers.generate"


def test_a_generated_module_says_so_in_its_first_line() -> None:
    for name in generate.modules():
        first = (generate.FOLDER / name).read_text(encoding="utf-8").partition("\n")[0]
        assert first.startswith("# Generated from core/definitions/"), name


def test_the_check_of_the_generator_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_every_definition_has_a_packet_class() -> None:
    classes = {generate.class_name(struct) for name, struct in DEFINITIONS.items() if name not in generate.GENERIC}
    assert classes - set(CLASSES) == set()
    assert len(classes) > 80


def test_every_packet_class_has_a_definition() -> None:
    orphans = {name for name, cls in CLASSES.items() if cls.definition not in DEFINITIONS}
    assert orphans == {"XlMessage"}, "its texts are definitions of another kind: core/definitions/xl.py, TEXTS"


def test_every_record_type_has_a_class_that_dispatch_finds() -> None:
    known = {(layer, number) for layer, records in Struct.records.items() for number in records}
    assert known == set(Record.classes)
    assert len(known) > 20


@pytest.mark.parametrize("definition", sorted(set(DEFINITIONS) - set(generate.GENERIC)))
def test_a_class_has_the_fields_of_its_definition_in_their_order(definition: str) -> None:
    struct = DEFINITIONS[definition]
    fields = [field.name for field in CLASSES[generate.class_name(struct)].fields_desc]
    expected = [generate.field_name(field.name) for field in struct.fields]
    if struct.record is not None:
        expected = ["type", "length", *expected, "rest", "padding"]
    assert fields == expected


@pytest.mark.parametrize("definition", sorted(set(DEFINITIONS) - set(generate.GENERIC)))
def test_help_says_what_each_field_means_and_where_it_is_written(definition: str) -> None:
    struct = DEFINITIONS[definition]
    text = " ".join(pydoc.plain(pydoc.render_doc(CLASSES[generate.class_name(struct)])).replace("|", " ").split())
    for field in struct.fields:
        assert " ".join((field.doc or field.kind).replace("|", " ").split()) in text
        assert not field.unit or f"({field.unit})" in text
    assert not struct.source or " ".join(struct.source.split()) in text


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_ls_lists_every_field_of_a_class(name: str) -> None:
    output = io.StringIO()
    with redirect_stdout(output):
        ls(CLASSES[name], verbose=True)
        ls(CLASSES[name]())
    for field in CLASSES[name].fields_desc:
        assert field.name in output.getvalue()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_packet_of_defaults_builds_and_dissects_to_itself(name: str) -> None:
    cls = CLASSES[name]
    built = bytes(cls())
    again = cls(built)
    if cls not in (LibxlRecord, LibxcRecord):
        assert type(again) is cls or not built
    assert bytes(again) == built


def test_a_field_is_renamed_only_where_scapy_needs_its_name() -> None:
    renamed = {field.name for cls in CLASSES.values() for field in cls.fields_desc if field.name.endswith("_")}
    assert all(hasattr(Packet, name.rstrip("_")) or hasattr(Record, name.rstrip("_")) for name in renamed)
    assert "time_" in renamed
