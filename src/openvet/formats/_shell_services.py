"""What a line of a shell does to let somebody in, to switch off who watches, or to work for somebody else, by the words of the tools that do it.

Tunnels back into the machine, logs and guards of clouds and hosts that are stopped, branches that lose their protection, miners by their options, programs
of any language that are fetched into their interpreter, keys that are put into an address, and code that is fetched onto the end of a program.

Sources: MITRE ATT&CK T1572, T1562.001, T1562.008, T1496, T1059, T1041, T1195; the references of the tools.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import IP, is_foreign

__all__ = ["serves_others"]

_WORDS: Final = frozenset(
    {"ssh", "autossh", "chisel", "cloudflared", "ngrok", "frpc", "bore", "cloudtrail", "guardduty", "securityhub", "auditctl", "systemctl", "service", "logging", "monitor", "gh", "pool", "wallet", "algo", "nbminer", "gminer", "rex", "teamredminer", "phoenixminer", "xmr", "cpuminer", "minerd", "nanominer", "bzminer", "rigel", "coin",
     "lolminer", "osascript", "perl", "ruby", "php", "lua", "tclsh", "rscript", "julia", "node", "pwsh", "groovy", "curl", "wget", "execstart", "falconctl", "macie2", "config"}
)  # fmt: skip
_TUNNEL: Final = pattern(
    r"\b(?:auto)?ssh\s(?=[^|;&\n]{0,300}\s-\w{0,6}R[ =]?\S{0,60}:22\b)|\b(?:auto)?ssh\s(?=[^|;&\n]{0,300}\s-\w{0,6}R\b)(?=[^|;&\n]{0,300}StrictHostKeyChecking[ =]no)|"
    r"\bchisel\s{1,4}client\s[^|;&\n]{0,200}\sR:|\bcloudflared\s[^|;&\n]{0,100}--url[ =]ssh://|\bngrok\s{1,4}tcp\s[^|;&\n]{0,80}\b22\b|\bbore\s{1,4}local\s{1,4}22\b"
)
_BLINDS: Final = pattern(
    r"\bcloudtrail\s{1,4}(?:stop-logging|delete-trail|put-event-selectors)\b|\bguardduty\s{1,4}(?:delete-detector|disassociate\S{0,40}|update-detector\s[^|;&\n]{0,80}--no-enable)|\bsecurityhub\s{1,4}disable\S{0,40}|\bmacie2\s{1,4}disable-macie|"
    r"\b(?:configservice|config)\s{1,4}(?:stop-configuration-recorder|delete-configuration-recorder)|\bgcloud\s{1,4}logging\s{1,4}(?:sinks|logs)\s{1,4}delete\b|\baz\s{1,4}monitor\s{1,4}(?:diagnostic-settings|log-profiles|activity-log\s{1,4}alert)\s{1,4}delete\b|"
    r"\bauditctl\s{1,4}(?:-e\s{0,2}0|-D)\b|\b(?:systemctl\s{1,4}(?:stop|disable|mask)|service)\s[^|;&\n]{0,60}\b(?:auditd|falco|falcon-sensor|wazuh-agent|osqueryd|clamav-daemon|mdatp|sentinelone|carbonblack|cbagentd|crowdsec|fail2ban)\b|"
    r"\bgh\s{1,4}api\s(?=[^|;&\n]{0,200}DELETE)[^|;&\n]{0,200}/(?:protection|rulesets/)",
)
_MINES: Final = pattern(
    r"--(?:pool|server|url)[= ]{1,4}[\w.+:/-]{3,200}:\d{2,5}\s(?=[^|;&\n]{0,200}--?(?:user|wallet|coin|algo|u|worker)\b)(?=[^|;&\n]{0,200}(?:--coin|--algo|--wallet|miner))|"
    r"--coin[= ]{1,4}\w{2,12}\s[^|;&\n]{0,120}--(?:pool|wallet|user)\b|(?:^|[\s/])(?:lolMiner|nbminer|gminer|t-rex|teamredminer|PhoenixMiner|xmr-stak|cpuminer|minerd|nanominer|bzminer|srbminer\w{0,12}|rigel)\s[^|;&\n]{0,200}\w\.\w{1,60}:\d{2,5}\b",
    2,
)
_PIPED: Final = pattern(
    r"\b(?:curl|wget)\s[^|;&\n]{0,200}\|\s{0,8}(?:sudo\s{1,4})?(?:/usr/bin/(?:env\s{1,4})?)?(?:osascript|perl|ruby|php|lua|tclsh|Rscript|julia|node|pwsh|groovy)(?:\s{1,4}-)?\s{0,4}(?:$|[<\"';&|)])"
)
_IN_ADDRESS: Final = pattern(
    r"\b(?:curl|wget)\s[^|;&\n]{0,200}(https?://[^\s\"'$`]{3,200})\S{0,60}(?:\$\(|`)[^)`\n]{0,160}(?:\$\{?\w{0,40}(?:TOKEN|SECRET|PASSW|API_?KEY|ACCESS_KEY)|\b(?:printenv|env)\b|~?/?\.(?:ssh|aws|netrc|kube)\b)"
)
_FETCHES: Final = pattern(r"\b(?:curl|wget)\s[^|;&\n]{0,200}(https?://[^\s\"';|&]{3,200})")
_APPENDS: Final = pattern(r">>\s{0,4}[\"']?[^\s\"';|&>]{1,200}\.(?:py|js|mjs|ts|rb|pl|ps1|php|lua|jl|R)\b")
_STARTS: Final = pattern(rf"\bExecStart\s{{0,4}}=[^\n]{{0,200}}?[\s=](?:{IP.pattern}):\d{{2,5}}\b")


def serves_others(bare: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """What a line does for somebody else, and the kind of it; ``None`` for an ordinary one.

    Args:
        bare: the line.
        words: its words, in lower case.
    """
    if words.isdisjoint(_WORDS):
        return None
    if _TUNNEL.search(bare):
        return "lets another machine in by a tunnel", "reverse-shell"
    if _BLINDS.search(bare):
        return "switches off what watches or protects", "hidden"
    if _MINES.search(bare):
        return "makes the machine mine coins for somebody", "mines"
    if (found := _IN_ADDRESS.search(bare)) and is_foreign([found[1]]):
        return "sends keys, tokens or the environment of whoever runs it to another machine", "sends"
    if _APPENDS.search(bare) and (found := _FETCHES.search(bare)) and is_foreign([found[1]]):
        return "puts code that it fetches onto the end of a program", "hidden"
    if _STARTS.search(bare):
        return "makes the machine start something of somebody else, or gives them its rights", "persists"
    return ("fetches something and runs it at once", "hidden") if _PIPED.search(bare) else None
