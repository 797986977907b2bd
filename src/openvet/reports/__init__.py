"""Reports: pure functions from a :class:`~openvet.reports.report.Report` to text, JSON, SARIF or Markdown."""
