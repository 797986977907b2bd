"""Names of functions and methods that loaders and libraries call by themselves, by the moment at which they do."""

from __future__ import annotations

__all__ = [
    "CONSTRUCTION",
    "ENTRIES",
    "INFERENCE",
    "MODULE_HOOKS",
    "OF_A_CLASS",
    "OF_A_COMMAND",
    "ON_EVENT",
    "PROPERTIES",
    "REGISTERS",
    "STARTS",
]

#: What runs when an object of a class comes to be, or when a loader makes a model of a folder.
CONSTRUCTION = frozenset({
    "__init__", "__new__", "__post_init__", "__setstate__", "__reduce__", "__reduce_ex__", "__init_subclass__",
    "__set_name__", "__class_getitem__", "__prepare__", "__del__", "__getattr__", "__getattribute__", "__call__",
    "from_pretrained", "_from_pretrained", "from_config", "_from_config", "from_dict", "load", "_load", "load_model",
    "_load_pyfunc", "setup", "initialize", "model_fn", "load_context", "handler", "handle", "_init_weights", "post_init",
    "load_state_dict", "_load_from_state_dict", "_load_state_dict", "_load_pretrained_model", "load_weights", "tie_weights",
    "find_spec", "find_module", "exec_module", "create_module", "load_module",
    "init_context", "load_predictor", "load_ipython_extension", "load_jupyter_server_extension", "_load_jupyter_server_extension",
    "_load_jupyter_extension", "_missing_", "_generate_next_value_",
})  # fmt: skip
#: What runs when the model is used.
INFERENCE = frozenset({
    "forward", "generate", "predict", "inference", "call", "encode", "transform", "preprocess", "postprocess", "predict_fn",
    "input_fn", "output_fn", "prepare_inputs_for_generation", "_forward", "_forward_pass", "_call", "__next__",
    "custom_generate", "tokenize", "_tokenize", "decode", "_decode", "batch_decode", "batch_encode_plus", "encode_plus",
    "_convert_token_to_id", "_convert_id_to_token", "convert_tokens_to_string", "build_inputs_with_special_tokens",
    "apply_chat_template", "to_dict", "to_diff_dict", "to_json_string", "state_dict", "get_input_embeddings", "_sample",
    "_generate_examples", "_split_generators", "_info", "check_inputs", "_sanitize_parameters", "chat", "stream_chat",
    "process_docs", "process_results", "doc_to_text", "doc_to_target", "doc_to_choice",
})  # fmt: skip
#: Methods that a framework calls on objects of classes that are made of its own: Keras, evaluate, Lightning, ComfyUI, gradient functions.
OF_A_CLASS = frozenset({
    "build", "compute_output_shape", "get_config", "_compute", "_download_and_prepare", "_prepare_split", "training_step", "validation_step", "test_step",
    "predict_step", "configure_optimizers", "configure_model", "configure_callbacks", "prepare_data", "train_dataloader", "val_dataloader",
    "compute_loss", "create_optimizer", "get_train_dataloader", "backward", "add_noise", "set_timesteps", "scale_model_input",
})  # fmt: skip
#: What a trainer calls when something happens, by the beginning of its name.
ON_EVENT = ("on_train_", "on_epoch_", "on_step_", "on_batch_", "on_fit_", "on_validation_", "on_test_", "on_predict_", "on_save", "on_load_", "on_init_",
            "on_log", "on_evaluate", "on_before_", "on_after_", "on_sanity_", "on_optimizer_", "on_substep_", "on_pre_optimizer_")  # fmt: skip
#: Functions that a program takes from files of one name: the file, and the beginnings of theirs.
ENTRIES = {"hubconf.py": ("",), "conftest.py": ("pytest_",), "score.py": ("init", "run"), "scoring.py": ("init", "run")}
#: What an installer runs of a class that a ``setup.py`` puts in the place of a command, wherever that is made.
OF_A_COMMAND = frozenset({"run", "initialize_options", "finalize_options"})
#: Decorators that keep a function to call it when a pipeline is loaded or a server starts.
REGISTERS = (
    "spacy.registry.",
    "spacy.util.registry.",
    "spacy.Language.",
    "spacy.language.Language.",
    "thinc.api.registry.",
    "catalogue.",
)
#: Decorators that make a server or a test run the function by itself when it starts, by their last name.
STARTS = frozenset(
    {
        "on_event",
        "on_deployment",
        "on_startup",
        "on_shutdown",
        "lifespan",
        "before_first_request",
        "before_request",
        "before_serving",
        "on_app_start",
    }
)
#: At module level or in a class these run on import.
MODULE_HOOKS = frozenset({"__getattr__", "__dir__"})
PROPERTIES = frozenset({"property", "cached_property", "functools.cached_property", "cache", "lazy_property"})
