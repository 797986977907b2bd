"""What calls do in the languages that have no parser here: which run text, start programs, ask other machines, remove or write files.

A call is known by its name as it is written, with what it was imported by put in. The names are those of the standard libraries and of
the packages that everybody uses; what has another name is not known.

Sources: the reference of each language's standard library.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

__all__ = ["ROLES", "role_of"]

#: Language -> role -> names, as one expression each. ``code`` runs text, ``process`` starts a program, ``native`` loads one, ``fetch`` asks another
#: machine (and sends to it), ``saves`` writes what it fetches to the place that it is given next, ``decode`` decodes, ``secret`` gives what its user keeps,
#: ``home`` the folder of the user, ``remove`` and ``write`` files, ``cipher`` encrypts.
_JVM: Final = {
    "code": r"(?:.*\.)?evaluate|Eval\.\w+|(?:.*\.)?(?:defineClass|parseClass|loadClass|newInstance\(\)\.eval)|(?:.*\.)?URLClassLoader|(?:.*\.)?(?:engine|scriptEngine|jsEngine|getEngineByName\(\))\.eval|CSharpScript\.\w+|(?:.*\.)?Assembly\.Load\w*",
    "process": r"(?:.*\.)?(?:runtime|Runtime|rt|getRuntime\(\))\.exec|(?:.*\.)?ProcessBuilder|(?:.*\.)?Process\.Start|(?:.*\.)?ProcessStartInfo|Process\.run(?:Sync)?|sh|bat|powershell",
    "native": r"System\.load(?:Library)?",
    "fetch": r"(?:java\.net\.|java\.io\.)?(?:URL|URI|Socket)|(?:.*\.)?(?:openConnection|openStream|newCall|toURL|GetStringAsync|GetByteArrayAsync|DownloadString|DownloadData|GetAsync|PostAsync|PutAsync|UploadString|UploadData|UploadFile)|HttpClient\w*(?:\..*)?|HttpRequest(?:\..*)?|Jsoup\..*|(?:.*\.)?TcpClient|httpRequest|http\.(?:get|post)|URLSession\..*",
    "saves": r"(?:.*\.)?DownloadFile(?:Async|TaskAsync)?|(?:.*\.)?copyURLToFile",
    "decode": r"(?:.*\.)?(?:decodeBase64|FromBase64String|getDecoder\(\)\.decode|decodeHex)",
    "secret": r"(?:.*\.)?(?:lookupCredentials|getCredentials|GetEnvironmentVariables)|System\.getProperties",
    "remove": r"(?:.*\.)?(?:deleteDir|deleteRecursively|deleteDirectory)|Directory\.Delete|(?:.*\.)?removeItem",
    "write": r"(?:.*\.)?(?:FileWriter|FileOutputStream|writeText|writeBytes|WriteAllText|WriteAllBytes|AppendAllText|Files\.write\w*)",
    "cipher": r"Cipher\.getInstance|Aes\.Create|RijndaelManaged",
}  # fmt: skip
ROLES: Final[dict[str, dict[str, str]]] = {
    "javascript": {
        "code": r"(?:(?:window|globalThis|self|global|top)\.)?(?:eval|Function|execScript)|vm\.(?:runIn\w+|compileFunction|Script)|(?:.*\.)?_compile|require-from-string|_eval|(?:.*\.)?constructor\.constructor",
        "process": r"(?:child_process|cp|childProcess|child)\.(?:exec\w*|spawn\w*|fork)|execa(?:\.\w+)?|shelljs\.exec|Deno\.(?:run|Command)|Bun\.spawn\w*|cross-spawn(?:\.\w+)?|ShellExecute|(?:.*\.)?ShellExecute",
        "native": r"process\.dlopen|Deno\.dlopen|ffi-napi\.Library|koffi\.load",
        "fetch": r"(?:(?:window|globalThis|self)\.)?fetch|axios(?:\.\w+)?|got(?:\.\w+)?|https?\.(?:get|request)|https?2?\.connect|request(?:\.(?:get|post|put))?|superagent\.\w+|needle(?:\.\w+)?|undici\.\w+|node-fetch|cross-fetch|(?:window\.)?(?:XMLHttpRequest|WebSocket|EventSource)|(?:net|tls)\.(?:connect|createConnection|Socket)|(?:\$|jQuery)\.(?:get|post|ajax|getJSON)|ws|(?:.*\.)?sendBeacon|dns\.(?:lookup|resolve\w*)|dgram\.createSocket|ky(?:\.\w+)?|nodemailer\.\w+|(?:redis|ioredis)\.createClient|Redis|mqtt\.connect|amqp\.connect|nats\.connect|socket\.io-client|io\.connect|ftp|SFTPClient|Octokit|MongoClient(?:\.connect)?|dns\.promises\.\w+|http2\.connect|Deno\.connect(?:Tls)?|Bun\.connect|phin|bent|centra|(?:net|tls)\.Server|UrlFetchApp\.fetch",
        "saves": r"download",
        "decode": r"(?:(?:window|globalThis|self)\.)?(?:atob|unescape)|Buffer\.from|zlib\.(?:inflate|gunzip|unzip|brotliDecompress)\w*|(?:.*\.)?decompressFromBase64|String\.fromCharCode",
        "secret": r"Deno\.env\.toObject",
        "home": r"os\.homedir|homedir",
        "remove": r"(?:fs|fs-extra)(?:\.promises)?\.(?:rm|rmSync|rmdir|rmdirSync|unlink|unlinkSync|remove|removeSync|emptyDir|emptyDirSync)|rimraf(?:\.\w+)?|del|Deno\.remove\w*",
        "write": r"(?:fs|fs-extra)(?:\.promises)?\.(?:writeFile|writeFileSync|appendFile|appendFileSync|createWriteStream|outputFile\w*)|Deno\.write\w*|Bun\.write",
        "cipher": r"crypto\.(?:createCipheriv|createCipher)|CryptoJS\.AES\.encrypt",
    },
    "lua": {
        "code": r"load|loadstring|dostring|loadstring\(\)|assert\.load",
        "process": r"os\.execute|io\.popen|(?:vim\.fn\.)?(?:system|jobstart)|sys\.execute",
        "native": r"package\.loadlib|ffi\.load",
        "fetch": r"(?:socket\.|ssl\.)?https?\.(?:request|get|post)|(?:.*\.)?(?:httpget|HttpGet|HttpGetAsync)|socket\.(?:connect|tcp)|(?:.*\.)?connect|cURL\..*|copas\..*",
        "decode": r"(?:.*\.)?(?:unb64|from_base64|decode64|decode_base64(?:url)?)|mime\.unb64|base64\.decode|string\.char|bit(?:32)?\.bxor",
        "remove": r"os\.remove|lfs\.rmdir|dir\.rmtree",
        "write": r"io\.open|file\.write",
    },
    "perl": {
        "code": r"eval",
        "process": r"system|exec|qx|open3?|IPC\.\w+|syscall",
        "fetch": r"get|getstore|mirror|LWP\..*|HTTP\.Tiny.*|(?:.*\.)?(?:get|post|request|http_request)|IO\.Socket\.\w+(?:\.new)?|WWW\.Mechanize.*|Mojo\.UserAgent.*",
        "saves": r"getstore|mirror",
        "home": r"File\.HomeDir(?:\.\w+)?",
        "decode": r"pack|unpack|decode_base64|MIME\.Base64\.\w+",
        "remove": r"unlink|rmdir|rmtree|remove_tree|File\.Path\.\w+|finddepth|File\.Find\.finddepth|(?:.*\.)?(?:remove|remove_tree)",
        "write": r"write_file|open",
        "holds": r"open",
    },
    "ruby": {
        "code": r"(?:(?:.*\.)?(?:instance_eval|class_eval|module_eval|instance_exec)|(?:Kernel\.|binding\.|TOPLEVEL_BINDING\.)?eval|RubyVM\.InstructionSequence\.\w+|Code\.eval_\w+)",
        "process": r"(?:Kernel\.|Process\.)?(?:system|exec|spawn)|IO\.popen|Open3\.\w+|PTY\.spawn|(?:System|Port)\.(?:cmd|open)",
        "native": r"Fiddle\.dlopen|Fiddle\.Handle\.new",
        "fetch": r"(?:URI\.|OpenURI\.)?open|Redis\.new|Bunny\.new|MQTT\.Client\.\w+|Typhoeus\.\w+|HTTPX\.\w+|Net\.(?:SMTP|FTP|SSH|SFTP|IMAP)(?:\.\w+)*|Mail\.\w+|Aws\.\w+(?:\.\w+)*|WebSocket\.\w+(?:\.\w+)*|OpenSSL\.SSL\.SSLSocket\.new|Curl\.\w+|URI\.parse\(\)\.(?:open|read)|URI\(\)\.(?:open|read)|Net\.HTTP(?:\.\w+)*|HTTParty\.\w+|Faraday(?:\.\w+)*|RestClient\.\w+|Down\.\w+|(?:TCP|UDP)Socket\.\w+|Excon\.\w+|HTTPoison\.\w+|Req\.\w+",
        "decode": r"Base64\.\w*decode64|(?:.*\.)?unpack1?|Zlib\.\w+(?:\.\w+)?",
        "secret": r"ENV\.(?:to_h|to_a|inspect|to_hash|map|each|to_json)",
        "home": r"Dir\.home",
        "remove": r"FileUtils\.(?:rm_rf|rm_r|rm_f|remove|remove_dir|remove_entry\w*|rmtree|rm)|Dir\.(?:rmdir|delete|unlink)|File\.(?:delete|unlink)|File\.rm_rf!?|Pathname\(\)\.rmtree",
        "write": r"File\.(?:write|open|new)|IO\.write|FileUtils\.cp",
        "cipher": r"OpenSSL\.Cipher(?:\.new)?",
    },
    "rust": {
        "process": r"(?:(?:std|tokio|async_process)\.)?(?:process\.)?Command\.new|libc\.(?:system|exec\w+)|duct\.\w+|cmd!",
        "native": r"(?:libloading\.)?Library\.new",
        "fetch": r"(?:reqwest|ureq|attohttpc|minreq|isahc|surf|curl)\..*|(?:std\.net\.)?(?:TcpStream|UdpSocket)\.(?:connect|bind)|(?:.*\.)?Client\.(?:new|builder)",
        "decode": r"base64\.(?:decode(?:_config)?|prelude\.\w+\.decode|engine\.\w+\.decode)|hex\.decode|(?:.*\.)?STANDARD\.decode|BASE64(?:_STANDARD|_URL_SAFE)?\.decode",
        "secret": r"(?:std\.)?env\.vars(?:_os)?",
        "home": r"(?:dirs|home|dirs_next|directories)\.home_dir|(?:std\.)?env\.home_dir",
        "remove": r"(?:(?:std|tokio)\.)?fs\.(?:remove_dir_all|remove_file|remove_dir)",
        "write": r"(?:(?:std|tokio)\.)?(?:fs\.)?(?:write|File\.create|OpenOptions\.new)",
        "cipher": r"(?:Aes\w+|ChaCha20Poly1305|XChaCha20Poly1305)\.new\w*",
    },
    "go": {
        "code": r"plugin\.Open|(?:.*\.)?Eval|otto\.\w+",
        "process": r"exec\.Command(?:Context)?|syscall\.(?:Exec|ForkExec)|os\.StartProcess",
        "native": r"purego\.Dlopen",
        "fetch": r"http\.(?:Get|Post|PostForm|Head|NewRequest\w*)|(?:\w+\.)?(?:client|Client|httpClient|hc|DefaultClient|c)\.(?:Do|Get|Post|PostForm)|http\.NewRequestWithContext|net\.Dial\w*|tls\.Dial|websocket\.\w+\.Dial|grab\.Get|resty\..*",
        "saves": r"getter\.Get\w*",
        "decode": r"(?:base64|hex)\.(?:\w+\.)?DecodeString",
        "secret": r"os\.Environ",
        "home": r"os\.UserHomeDir|homedir\.Dir",
        "remove": r"os\.(?:RemoveAll|Remove)",
        "write": r"os\.(?:WriteFile|Create|OpenFile)|ioutil\.WriteFile",
        "cipher": r"aes\.NewCipher|chacha20poly1305\.New\w*",
    },
    "julia": {
        "code": r"include_string|eval|Core\.eval|Base\.eval|include",
        "process": r"run|success|Base\.run|pipeline",
        "native": r"Libdl\.dlopen|dlopen",
        "fetch": r"HTTP\.(?:get|post|put|request|open)|download|Downloads\.(?:download|request)|Base\.download|(?:Sockets\.)?connect|urldownload",
        "saves": r"download|Downloads\.download|Base\.download",
        "decode": r"base64decode|Base64\.base64decode|hex2bytes|transcode",
        "home": r"homedir",
        "remove": r"rm|Base\.rm",
        "write": r"write|open",
    },
    "r": {
        "code": r"eval|source|sys\.source|evalq|source_url|devtools\.source_(?:url|gist)",
        "process": r"system|system2|shell|shell\.exec|processx\.\w+|sys\.exec_\w+",
        "native": r"dyn\.load",
        "fetch": r"url|httr2?\.\w+|GET|POST|RCurl\.\w+|getURL|postForm|curl\.\w+|curl_fetch_memory|socketConnection|make\.socket|write\.socket|readLines|crul\.\w+|websocket|redux\.\w+|blastula\.smtp_send|sendmailR\.sendmail|mailR\.send\.mail|mongolite\.\w+|httr2?\.req_perform|(?:utils\.)?download\.file|source_url",
        "home": r"path\.expand|path\.home|fs\.path_home|Sys\.getenv\(\)\.HOME",
        "secret": r"Sys\.getenv\(\)|keyring\.key_get|credentials\.\w+|gitcreds\.gitcreds_get|askpass\.\w+",
        "saves": r"download\.file|curl\.curl_download|utils\.download\.file",
        "decode": r"base64enc\.\w+|base64decode|jsonlite\.base64_dec|openssl\.base64_decode|rawToChar|memDecompress|unserialize",
        "remove": r"unlink|file\.remove|fs\.dir_delete",
        "write": r"writeLines|cat|writeBin|file\.append|file\.copy",
    },
    "php": {
        "code": r"eval|assert|create_function|include|include_once|require|require_once",
        "process": r"system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec",
        "native": r"dl",
        "fetch": r"mail|ftp_put|ftp_connect|socket_connect|pfsockopen|dns_get_record|SoapClient|file_get_contents|curl_exec|curl_setopt_array|fsockopen|stream_socket_client|curl_init|fopen|curl_setopt",
        "decode": r"base64_decode|gzinflate|gzuncompress|str_rot13|hex2bin|convert_uudecode",
        "remove": r"unlink|rmdir|array_map",
        "write": r"file_put_contents|fwrite",
    },
    "groovy": _JVM,
    "c": {
        "process": r"(?:std\.)?(?:system|popen|_popen)|exec(?:l|lp|le|v|vp|ve|vpe)|WinExec|ShellExecute\w*|CreateProcess\w*|posix_spawnp?",
        "native": r"dlopen|LoadLibrary\w*",
        "fetch": r"curl_easy_(?:setopt|perform)|InternetOpenUrl\w*|WinHttp\w+|recv|connect|send|sendto",
        "saves": r"URLDownloadToFile\w*",
        "remove": r"(?:std\.)?(?:filesystem|fs)\.remove_all|unlink|nftw|SHFileOperation\w*",
        "write": r"fopen|(?:std\.)?ofstream",
        "join": r"dup[23]?",
    },
}  # fmt: skip
#: Order in which a name that has several roles is tried.
_ORDER: Final = (
    "code",
    "process",
    "native",
    "saves",
    "fetch",
    "decode",
    "secret",
    "home",
    "remove",
    "write",
    "cipher",
    "join",
)


@cache
def _patterns(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((role, re.compile(ROLES[language][role])) for role in _ORDER if role in ROLES[language])


@lru_cache(maxsize=8_192)
def role_of(language: str, name: str) -> tuple[str, ...]:
    """The roles of a callable by its name, with dots between its parts."""
    return () if len(name) > 200 else tuple(role for role, names in _patterns(language) if names.fullmatch(name))
