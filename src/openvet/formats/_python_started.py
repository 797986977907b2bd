"""Which Python sources are programs: started by a person, by their names, and by nothing that loads a model.

A source is one where it says so (``if __name__ == "__main__":``, a parser of arguments, ``sys.argv``), is called what people call such
scripts (``train.py``, ``download_weights.py``), or does its work where it stands and defines no class; where its name is none that a
loader, a server or a tool takes by itself, and where it holds no class or table that one looks for. A heuristic over the text, which
stays with what it knows: any other source counts as one that something may import. That nothing in the repository imports or names it
is for the rules to see, which know the other files.
"""

from __future__ import annotations

import re

from openvet.core.pattern import pattern

__all__ = ["is_started"]

#: Names that loaders, servers, builders and tools take by themselves.
_TAKEN = pattern(
    r"(?:__\w+__|(?:modeling|modelling|configuration|tokenization|tokenizer|processing|image_processing|feature_extraction|video_processing|pipeline|model|config|"
    r"module|layers?|nodes?|node|comfy)(?:_\w+)?|\w+_(?:model|tokenizer|config|pipeline|processor|nodes?|handler|plugin|hook|hooks|node)|handler|pipeline|inference|"
    r"predictor|hubconf|conftest|setup|sitecustomize|usercustomize|noxfile|fabfile|tasks|dodo|pavement|conanfile|duties|"
    r"hatch_build|build_hook|_build_meta|gunicorn\.conf|gunicorn_conf|ipython\w*config|jupyter\w*config|matplotlibrc|custom_generate|"
    r"prestartup_script|install|preload|__init__|plugin|extension|wsgi|asgi|celeryconfig|settings|locustfile|dagster|dags?|flows?|sconstruct|wscript|configure|"
    r"lightning_module|transforms?|metric|metrics|dataset|loss|utils?|prompts?|mlflow_model|entrypoint|entry_point|agent|tool|tools|manage|test_\w+|\w+_test)",
    re.IGNORECASE,
)
#: Names that servers and loaders take where such a class or function is in the source, and that people give to scripts as well.
_OFTEN_TAKEN = frozenset({"generate", "predict", "score", "scoring"})
#: A class or a table in the source by which a loader, a server or a tool takes it, or a decorator that registers something with one.
_LOOKED_FOR = pattern(
    r"\b(?:GeneratorBasedBuilder|ArrowBasedBuilder|BuilderConfig|DatasetBuilder|PreTrainedModel|PretrainedConfig|PreTrainedConfig|PreTrainedTokenizer\w*|ProcessorMixin|"
    r"FeatureExtractionMixin|BaseImageProcessor|DiffusionPipeline|ModelMixin|ConfigMixin|register_for_auto_class|NODE_CLASS_MAPPINGS|comfy_entrypoint|EndpointHandler|"
    r"TritonPythonModel|InferenceHandler|ModelHandler|BaseHandler|BasePredictor|PythonModel|PyFuncModel|register_to_config|evaluate\.Metric|"
    r"evaluate\.Measurement|datasets\.Metric|def (?:model_fn|input_fn|predict_fn|output_fn|load_context|pytest_\w{1,40}|load_ipython_extension)\b|"
    r"Language\.(?:component|factory)|spacy\.registry|cog\b[^\n]{0,40}Predictor|register_keras_serializable)"
)
#: What a program says of itself.
_SAYS_SO = pattern(
    r"^if[ \t(]+(?:__name__[ \t]{0,4}==[ \t]{0,4}['\"]__main__|['\"]__main__['\"][ \t]{0,4}==[ \t]{0,4}__name__)|\bArgumentParser\(|\bOptionParser\(|\bsys\.argv\b|"
    r"^@(?:\w{1,30}\.)?(?:command|main)\(|\bfire\.Fire\(|\btyper\.(?:run|Typer)\(|\btyro\.cli\(|^[ \t]{0,8}(?:\w{1,20}\.)?run_app\(|\bapp\.run\(|\buvicorn\.run\(|\.launch\(",
    re.MULTILINE,
)
#: A source that does its work where it stands: a loop, a call, and no class that anybody could want of it.
_DOES_IT_HERE = pattern(
    r"^(?:for|while|with)[ \t]|^(?!def |class |from |import |print\()[A-Za-z_][\w.]{0,80}\(", re.MULTILINE
)
_CLASS = pattern(r"^class[ \t]", re.MULTILINE)
#: What people call the scripts that they start.
_CALLED_SO = pattern(
    r"(?:\d{1,3}_)?(?:train|finetune|fine_?tune|pretrain|sft|dpo|grpo|rlhf|bench(?:mark)?|eval(?:uate)?|demo|app|main|run|launch|start|serve|server|client|download|fetch|upload|push|convert|"
    r"\w{1,40}_demo|export|quantize|merge|prepare|preprocess|build|make|clean|plot|visuali[sz]e|scrape|crawl|example|quickstart|usage|streamlit_app|gradio_app|watchdog|monitor|collect_env|check_env|env_(?:check|report|info)|environment|doctor)(?:[_-]\w{1,60})?",
    re.IGNORECASE,
)


def is_started(text: str, place: str) -> bool:
    """Whether the source at ``place`` shows that it is a program that a person starts by its name."""
    name = place.rpartition("/")[2]
    stem = name.removesuffix(".py")
    if stem == name or "!" in place or _TAKEN.fullmatch(stem) or stem.startswith("."):
        return False
    if stem in _OFTEN_TAKEN:
        return (
            "custom_generate/" not in place and _LOOKED_FOR.search(text) is None and _SAYS_SO.search(text) is not None
        )
    if _LOOKED_FOR.search(text) is not None:
        return False
    if _CALLED_SO.fullmatch(stem) is not None or _SAYS_SO.search(text) is not None:
        return True
    if not stem.isidentifier() and _CLASS.search(text) is None:
        return True  # no statement can import it
    return _DOES_IT_HERE.search(text) is not None and _CLASS.search(text) is None
