"""The table "who may import whom", as a contract that lint-imports checks.

Every module of the package must fall under one line of the table, and may import, directly, only its own room,
`errors`, and what its line allows. Unlike a list of forbidden pairs, a new room is refused until somebody has
said what it may know. `tool.importlinter` in pyproject.toml holds the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, cast

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from grimp import ImportGraph

ROOT = "caseveil"
FREE = "errors"
"""What everyone may import."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One line: `name -> a b c`. A name covers everything beneath it and may end in `*` (`plan*`: plan, plan_toml)."""

    name: str
    allowed: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> Rule:
        """Read `name -> a b c`. Raises ValueError if the arrow or the name is missing."""
        name, arrow, right = line.partition("->")
        if not arrow or not name.strip():
            raise ValueError(f"a rule ({line!r}) must read 'name -> a b c'")
        return cls(name=name.strip(), allowed=tuple(right.split()))

    def governs(self, module: str) -> bool:
        """Whether a module (without the package's name) falls under this line."""
        return any(fnmatchcase(above, self.name) for above in _and_above(module))

    def allows(self, module: str, imported: str) -> bool:
        """Whether a module under this line may import another."""
        own_room = module.partition(".")[0]
        patterns = (own_room, self.name, FREE, *self.allowed)
        return any(fnmatchcase(above, pattern) for above in _and_above(imported) for pattern in patterns)


def _short(module: str) -> str:
    """A module's name without the package's; the package itself is its __init__."""
    return "__init__" if module == ROOT else module.removeprefix(f"{ROOT}.")


def _and_above(module: str) -> list[str]:
    """A module and the packages around it: a.b.c, a.b, a."""
    parts = module.split(".")
    return [".".join(parts[:depth]) for depth in range(len(parts), 0, -1)]


def check_rooms(rules: list[Rule], modules: set[str], imports: set[tuple[str, str]]) -> list[str]:
    """Everything that breaks the table, as sentences; empty when it holds.

    modules and the (importer, imported) pairs are full names, such as caseveil.schema.table.
    """
    problems = []
    inside = {_short(module) for module in modules}
    governing: dict[str, Rule | None] = {}
    for module in inside:
        fitting = [rule for rule in rules if rule.governs(module)]
        governing[module] = max(fitting, key=lambda rule: len(rule.name), default=None)
        if not fitting:
            problems.append(f"{module} stands in no line of the table: say what it may import")
    used = [rule for rule in governing.values() if rule is not None]
    problems += [f"the table names {rule.name}, which does not exist" for rule in rules if rule not in used]
    for importer, imported in imports:
        source, target = _short(importer), _short(imported)
        rule = governing[source]
        if rule is not None and not rule.allows(source, target):
            problems.append(f"{source} imports {target}, and may import only: {' '.join(rule.allowed) or 'nothing'}")
    return sorted(problems)


class RoomsContract(Contract):
    """Contract type `rooms`. Option `allowed`: the lines of the table."""

    type_name = "rooms"

    allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Compare every direct import with the table."""
        rules = [Rule.parse(line) for line in cast("list[str]", self.allowed)]
        imports = {
            (importer, imported)
            for importer in graph.modules
            for imported in graph.find_modules_directly_imported_by(importer)
        }
        problems = check_rooms(rules, set(graph.modules), imports)
        return ContractCheck(kept=not problems, metadata={"problems": problems})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line a problem."""
        for problem in check.metadata["problems"]:
            output.print_error(f"  {problem}")
