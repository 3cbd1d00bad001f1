"""Small files with secrets in them, and how to ask a session."""

from __future__ import annotations

from typing import Any

from caseveil.web.service import Session

SECRET = "Zanzibarova"


def people(n: int = 400) -> bytes:
    """A small file with a secret in columns that must be set aside."""
    lines = ["victim_id,surname,sex,age,nationality,abuse,notes"]
    for i in range(n):
        sex = ("F", "M", "")[i % 3]
        abuse = ("Debt;Threats", "Threats", "")[i % 3 if i % 5 else 1]
        lines.append(f"V{i:04},{SECRET}{i},{sex},{17 + i % 40},{('FR', 'ML', 'NP')[i % 3]},{abuse},{SECRET} said {i}")
    return ("\n".join(lines) + "\n").encode()


def links(n: int = 400) -> bytes:
    """Perpetrators of those people."""
    lines = ["perpetrator_id,victim_id,role"]
    lines += [f"P{i:04},V{i % n:04},{('Recruiter', 'Transporter')[i % 2]}" for i in range(2 * n)]
    return ("\n".join(lines) + "\n").encode()


def talks(n: int = 400) -> bytes:
    """A second file about some of those people, and about others."""
    lines = ["of,sex,language,phone"]
    lines += [f"V{i:04},F,{('Thai', 'Swahili')[i % 2]},+49 30 {SECRET}{i:05}" for i in range(n // 2, n + 20)]
    return ("\n".join(lines) + "\n").encode()


def ask(session: Session, name: str, **fields: Any) -> dict[str, Any]:
    """An answer that is no error."""
    found = session.answer(name, fields)
    assert "error" not in found, found
    return found


def refused(session: Session, name: str, **fields: Any) -> dict[str, str]:
    """The error of an answer that must be one."""
    found = session.answer(name, fields)
    assert list(found) == ["error"], list(found)
    assert set(found["error"]) == {"message", "kind"}
    return found["error"]


def opened(session: Session, *files: tuple[str, bytes]) -> dict[str, Any]:
    """The draft of opened files, quick to release."""
    draft = ask(session, "open", files=[{"name": name, "bytes": data} for name, data in files])["draft"]
    draft["aggregates"]["length"] = 2
    for table in draft["tables"]:
        for column in table["columns"]:
            column["outside"] = "missing"
    return draft
