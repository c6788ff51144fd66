"""Every way a request can fail, as one tree that knows nothing of HTTP."""


class DmpError(Exception):
    """A failure with a stable kebab-case `code`, the FHIRPath `expression` of its place and a safe English `detail`.

    `detail` never repeats what the client sent: it may be shown to anybody.
    """

    def __init__(self, code: str, expression: str | None = None, detail: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.expression = expression
        self.detail = detail


class NotAuthenticated(DmpError):
    """No token, or one that proves nothing."""


class TooManyRequests(DmpError):
    """A quota of the caller is used up."""


class UnknownRoute(DmpError):
    """No resource or operation of that name."""


class NotAllowed(DmpError):
    """The resource does not support this interaction."""


class UnsupportedMedia(DmpError):
    """The body's media type is not spoken."""


class NotAcceptable(DmpError):
    """No media type that the caller accepts is spoken."""


class TooLarge(DmpError):
    """A body, a document or a bundle over its limit."""


class Malformed(DmpError):
    """The request cannot be parsed."""


class Refused(DmpError):
    """The decision denies, and the caller may know that the thing exists."""


class NotFound(DmpError):
    """The thing does not exist, or the caller may not know that it does."""


class Gone(DmpError):
    """The thing was deleted."""


class PreconditionFailed(DmpError):
    """The version or the criterion the caller named does not hold."""


class Invalid(DmpError):
    """The body parses but breaks a profile or a rule."""


class Unsatisfiable(DmpError):
    """The content has no byte in the range that was asked."""


class Conflict(DmpError):
    """The state of the record forbids it."""


class Unavailable(DmpError):
    """A service below does not answer: the same request may succeed later."""
