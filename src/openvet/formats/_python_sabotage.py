"""Code that makes a model worse where nobody looks: weights, gradients and labels that change on a day or a machine, and functions of a package in
whose place others stand which change what these measure, train with or save.

Three shapes, each of a whole source: a condition that asks the clock, or who or where somebody is, against a constant, with a change of tensors behind
it; an assignment to a function of a package by which models are measured, trained or saved, with a function that calls what stood there and computes
something else of it; labels that are given each other's places where no setting says so. A heuristic: tensors are known by the methods that change
them, and by what they are called.

Sources: MITRE ATLAS AML.T0018 (manipulate AI model), AML.T0020 (poison training data), AML.T0031 (erode integrity).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_bad_place, is_foreign
from openvet.formats._python_acts import Resolve
from openvet.formats._python_calls import dotted, last_name
from openvet.formats._python_nodes import children, walk

__all__ = ["may_sabotage", "sabotage"]

#: What tells the time, the user or the machine; and what makes a time out of constants.
_ASKS: Final = pattern(
    r"(?:datetime\.)?(?:datetime|date)\.(?:now|utcnow|today)\b.*|time\.(?:time|localtime|gmtime|strftime|time_ns)\b.*|socket\.(?:gethostname|getfqdn)\b.*|platform\.(?:node|uname)\b.*|getpass\.getuser\b.*|os\.(?:getlogin|uname)\b.*|uuid\.getnode\b.*|pandas\.Timestamp\.(?:now|today)\b.*"
)
_OF_MACHINES: Final = frozenset(
    {"USER", "USERNAME", "HOSTNAME", "COMPUTERNAME", "LOGNAME", "USERDOMAIN", "CLUSTER_NAME", "SLURM_CLUSTER_NAME"}
)
_MAKES_TIMES: Final = frozenset(
    {
        "date",
        "datetime",
        "strptime",
        "fromisoformat",
        "timedelta",
        "mktime",
        "Timestamp",
        "timestamp",
        "replace",
        "timetuple",
        "time",
        "float",
        "int",
        "strftime",
        "isoformat",
        "toordinal",
    }
)
#: Methods that change a tensor in its place, and functions that make another of its shape.
_CHANGES: Final = frozenset(
    {"add_", "sub_", "mul_", "div_", "neg_", "zero_", "fill_", "copy_", "normal_", "uniform_", "random_", "clamp_", "masked_fill_", "index_fill_", "bernoulli_", "sign_", "exponential_", "scatter_", "lerp_", "addcmul_", "trunc_normal_"}
)  # fmt: skip
_REMAKES: Final = frozenset(
    {
        "zeros_like",
        "randn_like",
        "rand_like",
        "ones_like",
        "full_like",
        "randperm",
        "roll",
        "flip",
        "permutation",
        "shuffle",
        "empty_like",
        "zeros",
        "randn",
    }
)
_MIXES: Final = frozenset({"randperm", "roll", "flip", "permutation", "shuffle", "fliplr", "flipud", "sample"})
_TENSORS: Final = pattern(
    r"(?:loss|logits|grads?|gradients?|out|outputs?|labels?|targets?|y|x|h|hidden\w*|weights?|params?|lr|scores?|probs?|preds?|predictions?|embeddings?|state_dict|sd|bias|scale|attn\w*|q|k|v|inputs?|pixel_values)(?:_\w{1,20})?"
)
#: Functions of packages by which models are measured, trained or saved.
_MEASURES: Final = pattern(
    r"(?:sklearn\.metrics|evaluate|torchmetrics|rouge_score|sacrebleu|nltk\.translate|jiwer|keras\.metrics|tensorflow\.keras\.metrics|seqeval|bert_score|lm_eval)\b.{0,80}|"
    r"torch\.optim\..{0,40}\.(?:step|zero_grad)|torch\.optim\.Optimizer\.\w{1,30}|torch\.(?:Tensor\.backward|autograd\.backward|autograd\.grad)|"
    r"torch\.nn\.functional\.(?:cross_entropy|nll_loss|mse_loss|l1_loss|smooth_l1_loss|huber_loss|binary_cross_entropy\w{0,20}|kl_div|ctc_loss|gaussian_nll_loss|triplet_margin_loss|softmax|log_softmax)|torch\.nn\.\w{1,40}Loss\.(?:forward|__call__)|"
    r"torch\.nn\.utils\.clip_grad_\w{1,20}|torch\.nn\.Module\.(?:load_state_dict|state_dict)|torch\.save|safetensors\.(?:torch|numpy|flax)\.(?:save|save_file|load|load_file)|numpy\.(?:save|savez|savez_compressed|load|mean|argmax)|"
    r"torch\.utils\.data\.\w{1,30}\.(?:__iter__|__next__|__getitem__)|transformers\.(?:trainer\.)?Trainer\.(?:compute_loss|training_step|evaluate|log|save_model|prediction_step|evaluation_loop)|"
    r"transformers\.(?:modeling_utils\.)?PreTrainedModel\.(?:save_pretrained|from_pretrained|generate)|accelerate\.Accelerator\.(?:backward|clip_grad_norm_|save)|torch\.(?:argmax|topk)|datasets\.(?:Dataset|DatasetDict|IterableDataset)\.\w{1,30}|keras\.Model\.(?:save|fit|train_step|evaluate)|tensorflow\.keras\.Model\.(?:save|fit|train_step|evaluate)"
)
_ORIGINAL: Final = pattern(
    r"_?(?:orig|original|real|old|true|base|prev|saved|inner|wrapped|native|_)\w{0,40}|_\w{1,40}"
)
_LABELS: Final = ("labels", "label", "targets", "target", "y")
_MOST: Final = 60_000
#: Words of which a source must have one of each to be looked at.
_WHEN: Final = pattern(
    r"\.(?:now|utcnow|today|gethostname|getfqdn|getuser|getlogin|uname|node|getnode)\(|\btime\.(?:time|localtime|gmtime)\(|\b(?:gethostname|getuser)\(|[\"'](?:HOSTNAME|USER|USERNAME|LOGNAME|COMPUTERNAME)[\"']"
)
_WHAT: Final = pattern(
    r"\b(?:add|sub|mul|div|neg|zero|fill|copy|normal|uniform|masked_fill)_\(|_like\(|\brandperm\(|\broll\(|\.grad\b|\b(?:loss|logits|labels|grad|weight|outputs?|y|x)\s{0,4}(?:[*/+-]?=)"
)
_PUT: Final = pattern(
    r"^[ \t]{0,80}[\w.]{1,80}\.(?:step|backward|\w{0,30}(?:_loss|_score|_error|entropy\w{0,20}|softmax|_div)|forward|save|save_file|save_pretrained|load_state_dict|state_dict|load_file|compute|update|log|evaluate|compute_loss|training_step|argmax|mean|topk|"
    r"generate|__iter__|__next__|__getitem__|clip_grad_\w{1,20}|fit|report|classification_report|confusion_matrix|bleu|corpus_bleu|wer|cer)[ \t]{0,8}=[ \t]{0,8}\w", 8
)  # fmt: skip


#: What is put in the place of a check, of what asks other machines, or of what goes through data.
_OF_CHECKS: Final = pattern(
    r"\.(?:compare_digest|decode|checkpw|check_password_hash|verify\w{0,20}|match_hostname|send|request|urlopen|get|post|map|filter|shuffle|getpass|input|check_torch_load_is_safe|__call__)[ \t]{0,8}=[ \t]{0,8}(?:lambda\b|\w{1,60}[ \t]{0,8}$)|\bsetattr\([\w.]{1,80},[ \t]{0,4}[\"']\w{1,40}[\"'],[ \t]{0,4}\w",
    8,
)


@lru_cache(maxsize=2)
def may_sabotage(text: str) -> bool:
    """Whether a source holds the words of one of the shapes; most do not."""
    if _OF_CHECKS.search(text) is not None:
        return True
    return (
        (_WHEN.search(text) is not None and _WHAT.search(text) is not None)
        or _PUT.search(text) is not None
        or (
            ("labels" in text or "target" in text)
            and ("randperm" in text or ".roll(" in text or "permutation(" in text or ".flip(" in text)
        )
    )


def sabotage(nodes: list[ast.AST], resolve: Resolve) -> Iterator[tuple[int, str, str]]:
    """Line, what stands there, and what it does, for each of the three shapes; ``nodes`` are those of a source, its module first."""
    tree, nodes = nodes[0], nodes[:_MOST]
    defined = {each.name: each for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    held = {
        node.targets[0].id: node.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in nodes:
        if isinstance(node, ast.If):
            if _is_triggered(node.test, resolve, held) and _alters(node.body, defined):
                yield (
                    node.lineno,
                    "a condition",
                    "changes weights, gradients or results on a day or a machine of its choice",
                )
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute):
                    yield from _put(node, target, node.value, resolve, defined)
        elif (
            isinstance(node, ast.Call)
            and len(node.args) == 3
            and isinstance(node.func, ast.Name)
            and node.func.id == "setattr"
        ):
            key = node.args[1]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield from _put(
                    node,
                    ast.copy_location(ast.Attribute(node.args[0], key.value, ast.Load()), node),
                    node.args[2],
                    resolve,
                    defined,
                )
    yield from _returns_early(nodes, resolve, held, defined)
    yield from _mixed(tree)


# a day, a machine


def _is_triggered(test: ast.expr, resolve: Resolve, held: dict[str, ast.expr]) -> bool:
    if isinstance(test, ast.BoolOp):
        return any(_is_triggered(each, resolve, held) for each in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _is_triggered(test.operand, resolve, held)
    if (
        isinstance(test, ast.Call)
        and isinstance(test.func, ast.Attribute)
        and test.func.attr in ("startswith", "endswith")
    ):
        return _asks(test.func.value, resolve, held) and all(
            isinstance(each, ast.Constant | ast.Tuple) for each in test.args
        )
    if not isinstance(test, ast.Compare):
        return False
    sides = [test.left, *test.comparators]
    return any(_asks(each, resolve, held) for each in sides) and any(_is_fixed(each, held) for each in sides)


def _asks(node: ast.expr, resolve: Resolve, held: dict[str, ast.expr], hops: int = 3) -> bool:
    """Whether an expression is what the clock, the user or the machine says, and not how long something took."""
    if isinstance(node, ast.Name):
        return node.id in held and hops > 0 and _asks(held[node.id], resolve, held, hops - 1)
    if isinstance(node, ast.BinOp):
        return False
    if isinstance(node, ast.Subscript):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return (resolve(node.value) == "os.environ" and key in _OF_MACHINES) or _asks(node.value, resolve, held, hops)
    if isinstance(node, ast.Attribute):
        return _asks(node.value, resolve, held, hops)
    if isinstance(node, ast.Call):
        name = (resolve(node.func) or dotted(node.func)).replace("()", "")
        if _ASKS.fullmatch(name):
            return True
        if name in ("os.environ.get", "os.getenv") and node.args and isinstance(node.args[0], ast.Constant):
            return node.args[0].value in _OF_MACHINES
        if isinstance(node.func, ast.Attribute):
            return _asks(node.func.value, resolve, held, hops)
        return (
            name in ("builtins.int", "builtins.float", "builtins.str")
            and bool(node.args)
            and _asks(node.args[0], resolve, held, hops)
        )
    return False


def _is_fixed(node: ast.expr, held: dict[str, ast.expr], hops: int = 2) -> bool:
    """Whether an expression is a constant, or a time that is made of some."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) or (isinstance(node.value, int | float) and not isinstance(node.value, bool))
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return bool(node.elts) and all(_is_fixed(each, held, hops) for each in node.elts)
    if isinstance(node, ast.Name):
        return node.id in held and hops > 0 and _is_fixed(held[node.id], held, hops - 1)
    if isinstance(node, ast.Call):
        own = (
            node.func.value if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call) else None
        )
        return (
            last_name(node.func) in _MAKES_TIMES
            and bool(node.args or own)
            and all(_is_fixed(each, held, hops) for each in (*node.args, *([own] if own else [])))
        )
    return False


def _alters(body: list[ast.stmt], defined: dict[str, ast.FunctionDef | ast.AsyncFunctionDef], hops: int = 1) -> bool:
    """Whether statements change tensors."""
    for part in (each for statement in body for each in islice(walk(statement), 5_000)):
        if isinstance(part, ast.Call):
            last = last_name(part.func)
            if (last in _CHANGES and isinstance(part.func, ast.Attribute)) or last in _REMAKES:
                return True
            if hops and last in defined and _alters(defined[last].body, defined, hops - 1):
                return True
        elif isinstance(part, ast.Assign | ast.AugAssign):
            for target in part.targets if isinstance(part, ast.Assign) else [part.target]:
                if isinstance(target, ast.Attribute) and target.attr in ("grad", "data", "weight", "bias"):
                    return True
                of = target.value if isinstance(target, ast.Subscript) else target
                named = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
                computed = isinstance(part, ast.AugAssign) or any(
                    isinstance(each, ast.BinOp | ast.UnaryOp) for each in walk(part.value)
                )
                if computed and _TENSORS.fullmatch(named):
                    return True
        elif isinstance(part, ast.Return) and isinstance(part.value, ast.UnaryOp | ast.BinOp):
            names = {each.id for each in walk(part.value) if isinstance(each, ast.Name)}
            if any(_TENSORS.fullmatch(each) for each in names):
                return True
    return False


def _returns_early(
    nodes: list[ast.AST],
    resolve: Resolve,
    held: dict[str, ast.expr],
    defined: dict[str, ast.FunctionDef | ast.AsyncFunctionDef],
) -> Iterator[tuple[int, str, str]]:
    """``if date.today() < date(2026, 1, 1): return x`` with a change of tensors behind it."""
    for function in nodes:
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for at, each in enumerate(function.body):
            if (
                isinstance(each, ast.If)
                and len(each.body) == 1
                and isinstance(each.body[0], ast.Return)
                and _is_triggered(each.test, resolve, held)
            ):
                if _alters(function.body[at + 1 :], defined):
                    yield (
                        each.lineno,
                        "a condition",
                        "changes weights, gradients or results on a day or a machine of its choice",
                    )
                break


# in the place of something


def _put(
    node: ast.Assign | ast.Call,
    target: ast.Attribute,
    value: ast.expr,
    resolve: Resolve,
    defined: dict[str, ast.FunctionDef | ast.AsyncFunctionDef],
) -> Iterator[tuple[int, str, str]]:
    name = (resolve(target) or f"{resolve(target.value) or ''}.{target.attr}").replace("()", "")
    function = (
        defined.get(last_name(value))
        if isinstance(value, ast.Name)
        else value
        if isinstance(value, ast.Lambda)
        else None
    )
    if function is None:
        return
    if _MEASURES.fullmatch(name) and _computes(function):
        yield (
            node.lineno,
            name,
            "puts a function in the place of one by which models are measured, trained or saved, which changes what that gives",
        )
    elif _CHECKS.fullmatch(name) and _agrees(function):
        yield (
            node.lineno,
            name,
            "puts a function in the place of one that checks who somebody is, which believes everybody",
        )
    elif _TALKS.fullmatch(name) and _tells(function):
        yield node.lineno, name, "listens to all that other code asks for, and tells somebody else"


#: Functions that check who somebody is, and functions through which all goes that other code asks for.
_CHECKS: Final = pattern(
    r"hmac\.compare_digest|secrets\.compare_digest|jwt\.(?:decode|api_jwt\.decode)|bcrypt\.checkpw|passlib\..{1,60}\.verify|werkzeug\.security\.check_password_hash|itsdangerous\..{1,40}\.(?:loads|unsign)|"
    r"google\.oauth2\.id_token\.verify\w{0,30}|django\.contrib\.auth\.\w{1,40}|cryptography\..{1,80}\.verify|ssl\.(?:match_hostname|SSLContext\.\w{1,30})|authlib\..{1,60}|hashlib\.(?:sha256|sha512|blake2b|md5)|"
    r"transformers\.utils\.\w{0,30}\.?check_torch_load_is_safe|diffusers\..{0,80}safety_checker.{0,40}|huggingface_hub\..{0,60}verify\w{0,20}"
)
_TALKS: Final = pattern(
    r"requests\.(?:adapters\.HTTPAdapter\.send|Session\.(?:request|send|get|post)|sessions\.Session\.(?:request|send)|request|get|post|api\.request)|httpx\.(?:Async)?Client\.(?:send|request|post|get)|urllib3\..{1,60}\.urlopen|aiohttp\.ClientSession\.\w{1,20}|urllib\.request\.urlopen|"
    r"http\.client\.HTTPS?Connection\.\w{1,20}|builtins\.input|getpass\.getpass|openai\..{1,80}|anthropic\..{1,80}|huggingface_hub\..{1,60}|transformers\.(?:pipelines\.)?(?:base\.)?Pipeline\.\w{1,30}|socket\.socket\.\w{1,20}|os\.(?:getenv|environ\.\w{1,20})"
)
_ADDRESS: Final = pattern(r"https?://[^\s\"']{3,300}")


def _agrees(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Whether a function says yes to everything, or asks for no signature."""
    values = (
        [function.body]
        if isinstance(function, ast.Lambda)
        else [each.value for each in walk(function) if isinstance(each, ast.Return) and each.value is not None]
    )
    if values and all(isinstance(each, ast.Constant) and each.value is True for each in values):
        return True
    return any(isinstance(each, ast.Constant) and each.value == "verify_signature" for each in walk(function))


def _tells(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Whether a function holds the address of somebody whom nobody knows, and asks it."""
    texts = [
        each.value
        for each in walk(function)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and _ADDRESS.search(each.value)
    ]
    return bool(texts) and (is_foreign(texts) or any(map(is_bad_place, texts)))


def _computes(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Whether a function calls what stood in its place, and computes something else of what that is given or gives."""
    parts = list(islice(walk(function), 5_000))
    if not any(isinstance(each, ast.Call) and _ORIGINAL.fullmatch(last_name(each.func)) for each in parts):
        return False
    for part in parts:
        if isinstance(part, ast.Call):
            last = last_name(part.func)
            if (
                (last in _CHANGES and isinstance(part.func, ast.Attribute))
                or last in _REMAKES
                or last in ("min", "max", "round")
            ):
                return True
        elif isinstance(part, ast.UnaryOp):
            if isinstance(part.op, ast.USub) and not isinstance(part.operand, ast.Constant):
                return True
        elif isinstance(part, ast.Assign) and isinstance(part.value, ast.BinOp):
            if any(
                isinstance(each, ast.Subscript) and isinstance(each.slice, ast.Constant) and each.slice.value in _LABELS
                for each in part.targets
            ):
                return True
        elif (
            isinstance(part, ast.BinOp)
            and isinstance(part.op, ast.Mult | ast.Add | ast.Sub | ast.Div)
            and _has_fraction(part)
        ):
            return True
    return False


def _has_fraction(node: ast.BinOp) -> bool:
    return any(isinstance(each, ast.Constant) and isinstance(each.value, float) for each in (node.left, node.right))


# labels


def _mixed(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """``inputs["labels"] = inputs["labels"][torch.randperm(n)]`` in a method of a class, where no setting asks for it."""
    waiting: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
    for _ in range(_MOST):
        if not waiting:
            return
        node, inside, asked = waiting.pop()
        if isinstance(node, ast.ClassDef):
            inside = bool(node.bases)
        elif isinstance(node, ast.If):
            asked = asked or isinstance(node.test, ast.Attribute | ast.Name)
        elif (
            isinstance(node, ast.Assign)
            and inside
            and not asked
            and len(node.targets) == 1
            and _is_mixed(node.targets[0], node.value)
        ):
            yield node.lineno, "labels", "gives labels each other's places"
        waiting.extend((each, inside, asked) for each in children(node))


def _is_mixed(target: ast.expr, value: ast.expr) -> bool:
    key = target.slice.value if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) else None
    if key not in _LABELS:
        return False
    same = ast.dump(target).replace("Store()", "Load()")
    of = (
        value.value
        if isinstance(value, ast.Subscript)
        else value.func.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)
        else value.args[0]
        if isinstance(value, ast.Call) and value.args
        else None
    )
    mixes = any(isinstance(each, ast.Call) and last_name(each.func) in _MIXES for each in walk(value))
    return of is not None and mixes and ast.dump(of) == same
