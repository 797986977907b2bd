"""in-toto's test result: which tests passed, passed with warnings, or failed. The spec page is ``test_result_v0.md``.

Source: in-toto attestation framework, ``spec/predicates/test-result.md`` (version 0.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.fields import Descriptor, Fields, with_extensions, without_none

__all__ = ["PREDICATE_TYPE", "RESULTS", "SuiteResult"]

PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
RESULTS: Final = ("PASSED", "WARNED", "FAILED")


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What one run of a set of tests gave.

    Attributes:
        result: one of :data:`RESULTS`.
        configuration: what the tests were run with.
        passed, warned, failed: names of tests; ``None`` where the field is not there.
        url: where the run can be looked at.
        extensions: fields that the specification does not name, by their JSON Pointers.
    """

    result: str
    configuration: tuple[Descriptor, ...]
    passed: tuple[str, ...] | None = None
    warned: tuple[str, ...] | None = None
    failed: tuple[str, ...] | None = None
    url: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        lists = {"passedTests": self.passed, "warnedTests": self.warned, "failedTests": self.failed}
        body = {
            "result": self.result,
            "configuration": [each.to_json() for each in self.configuration],
            "url": self.url,
            **{name: None if each is None else list(each) for name, each in lists.items()},
        }
        return with_extensions(without_none(body), self.extensions)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SuiteResult:
        """Take a body.

        Raises:
            FieldError: it is none of this kind.
        """
        found = Fields(value)
        result = found.word("result", RESULTS)
        configuration = tuple(map(Descriptor.take, found.objects("configuration")))
        passed, warned, failed = (found.may_texts(name) for name in ("passedTests", "warnedTests", "failedTests"))
        url = found.may("url", str)
        found.end()
        return cls(result, configuration, passed, warned, failed, url, found.extensions)
