"""A refusal in the shape that OpenAI's clients read: {"error": {message, type, param, code}}."""

from __future__ import annotations


class ApiError(Exception):
    """What a route raises instead of an answer; the app turns it into `status` and `body()`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code

    def body(self) -> dict[str, dict[str, str | None]]:
        """The JSON body of the answer."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}
