"""The accounts of the demo county that a reader may sign in with."""

PASSWORD = "weilu-demo-2026"

# Account and role in words; all stand around one community of the county town, so that one matter passes them all.
ROLES = {
    "member": "党员志愿者 Party member",
    "grid": "网格员 Grid worker",
    "village": "社区经办 Village clerk",
    "township": "乡镇经办 Township clerk",
    "county": "县级受理员 County dispatcher",
    "department": "县级部门 County department",
    "observer": "观察员 Observer",
    "admin": "管理员 Administrator",
}


def accounts() -> list[tuple[str, str, str]]:
    """Return role, account and password of each."""
    return [(role, username, PASSWORD) for username, role in ROLES.items()]
