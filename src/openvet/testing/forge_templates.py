"""Chat templates in the manner of published ones, and hostile ones that do nothing but what a check must see.

They are written for tests: they use every construct that the templates of large publishers use, and none of their text.
"""

from __future__ import annotations

__all__ = ["HOSTILE_TEMPLATES", "ORDINARY_TEMPLATES"]

_CHATML = """\
{%- if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif -%}
{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

_LLAMA = """\
{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system_message = "" %}{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}{{- "Environment: ipython\\n" }}{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}
{%- endif %}
{%- if tools is not none %}{%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}{%- endif %}
{{- system_message }}{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", "parameters": ' }}{{- tool_call.arguments | tojson }}{{- "}" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}
        {%- else %}{{- message.content }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"""

_QWEN = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}
    {{- '\\n</tools>\\n\\nreturn {"name": <function-name>, "arguments": <args-json-object>}<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and not(message.content.startswith('<tool_response>')) %}
        {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if message.role == "assistant" and '</think>' in content %}
        {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- if loop.index0 > ns.last_query_index %}{{- '<think>\\n' + reasoning.strip('\\n') + '\\n</think>\\n\\n' + content }}{%- endif %}
    {%- endif %}
    {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
    {%- for tool_call in message.tool_calls %}
        {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
        {{- '{"name": "' }}{{- tool_call.name }}{{- '", "arguments": ' }}
        {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}
    {%- endfor %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"""

_GEMMA = """\
{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}{%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}{%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}{%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}{%- set first_user_prefix = "" -%}{%- set loop_messages = messages -%}{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- set role = "model" if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- for item in message['content'] -%}
        {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}
        {%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
    {%- endfor -%}{{ '<end_of_turn>\\n' }}
{%- endfor -%}"""

_DEEPSEEK = """\
{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true) %}
{%- for message in messages %}{%- if message['role'] == 'system' %}
{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}
{%- else %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}
{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}
{%- for message in messages %}
{%- if message['role'] == 'assistant' and message['tool_calls'] is defined and message['tool_calls'] is not none %}
{%- for tool in message['tool_calls'] %}{{ tool['type'] + '<|tool|>' + tool['function']['name'] + '\\n' + '```json' + '\\n' }}
{%- endfor %}{%- endif %}{%- endfor -%}
{% if add_generation_prompt and not ns.is_tool %}{{ '<|Assistant|><think>\\n' }}{% endif %}"""

_MISTRAL = """\
{%- set loop_messages = messages %}{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}{{- raise_exception("must alternate") }}{%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" and tools is not none and (message == user_messages[-1]) %}
        {{- "[AVAILABLE_TOOLS] [" }}
        {%- for tool in tools %}
            {%- for key, val in tool.function.items() if key != "return" %}
                {%- if val is string %}{{- '"' + key + '": "' + val + '"' }}{%- else %}{{- '"' + key + '": ' + val|tojson }}{%- endif %}
                {%- if not loop.last %}{{- ", " }}{%- endif %}
            {%- endfor %}
        {%- endfor %}{{- "[/AVAILABLE_TOOLS]" }}
    {%- elif message.role == "tool" %}{% do seen.append(message.name) %}{% continue %}
    {%- endif %}
    {{- "[INST] " + message["content"] + "[/INST]" }}
{%- endfor %}"""

_TOOLS = """\
{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic_type_map[json_spec.type] is defined %}{{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}{{- "list[" + json_to_python_type(json_spec|items) + "]" }}
{%- elif json_spec.type is iterable %}{{- "Union[" }}{%- for t in json_spec.type %}{{- json_to_python_type({"type": t}) }}{%- endfor %}{{- "]" }}
{%- else %}{{- "Any" }}{%- endif %}
{%- endmacro %}
{%- for tool in tools %}{%- if tool.function is defined %}{%- set tool = tool.function %}{%- endif %}
{{- '<tool_call>' + tool.name + '(' }}
{%- for param_name, param_fields in tool.parameters.properties|items %}
    {{- param_name + ": " + json_to_python_type(param_fields) }}{%- if not loop.last %}{{- ", " }}{%- endif %}
{%- endfor %}{{- ")" }}
{%- for name in tool.parameters.properties|dictsort|map(attribute=0) %}{{- tool.parameters.properties[name].description }}{%- endfor %}
{%- endfor %}
{%- for message in messages %}{% generation %}{{ message.content }}{% endgeneration %}{%- if loop.last %}{% break %}{%- endif %}{%- endfor %}
{%- call(x) render(messages) %}{{ x }}{%- endcall %}
{%- filter upper %}done{% endfilter %}{{- '%s: %d'|format('turns', messages|length) }}{{ ['a', 'b']|join }}"""

#: By the family whose manner they follow.
ORDINARY_TEMPLATES = {
    "chatml": _CHATML,
    "llama": _LLAMA,
    "qwen": _QWEN,
    "gemma": _GEMMA,
    "deepseek": _DEEPSEEK,
    "mistral": _MISTRAL,
    "tools": _TOOLS,
    "plain-text": "You are a helpful assistant.",
    "key-with-prefix": "{% for i in range(3) %}{% set k = 'tool_' ~ i %}{{ tools[k] }}{% endfor %}",
}

#: By technique; each reaches for something and runs nothing.
HOSTILE_TEMPLATES = {
    "subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ cycler.__init__.__globals__.os.popen('echo hello').read() }}",
    "lipsum": "{{ lipsum['__globals__']['os'] }}",
    "item": "{{ messages['__class__'] }}",
    "concatenation": "{{ messages['__cl' ~ 'ass__'] }}",
    "addition": "{{ messages['__cl' + 'ass__'] }}",
    "join": "{{ messages[['__glo', 'bals__']|join] }}",
    "reverse": "{{ messages['__ssalc__'|reverse] }}",
    "slice": "{{ messages['__ssalc__'[::-1]] }}",
    "format-filter": "{{ messages['%s%s'|format('__in', 'it__')] }}",
    "repeat": "{{ messages['_' * 2 ~ 'class' ~ '_' * 2] }}",
    "escape": "{{ messages['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "variable": "{% set a = '__cla' %}{% set b = a ~ 'ss__' %}{{ messages[b] }}",
    "namespace": "{% set ns = namespace(k='__class__') %}{{ messages[ns.k] }}",
    "attr-filter": "{{ messages|attr('__class__') }}",
    "attr-filter-computed": "{{ messages|attr('__cl' ~ 'ass__') }}",
    "map-attr": "{{ [messages]|map('attr', '__class__')|list }}",
    "map-attribute": "{{ [messages]|map(attribute='__class__.__mro__')|list }}",
    "sort-attribute": "{{ [messages]|sort(attribute='__class__')|list }}",
    "format-string": "{{ '{0.__class__}'.format(messages) }}",
    "keyword": "{{ dict(__class__=1)|first }}",
    "private": "{{ self._TemplateReference__context }}",
    "set-block": "{% set a %}__cla{% endset %}{{ messages[a ~ 'ss__'] }}",
    "split": "{{ messages['x,__class__'.split(',')[1]] }}",
    "include-outside": "{% include '/etc/hostname' %}",
    "import-outside": "{% import '../../x' as x %}",
    "endless-range": "{% for i in range(10 * 1000 * 1000 * 1000) %}a{% endfor %}",
    "huge-repetition": "{{ 'a' * 10000000000 }}",
    "huge-width": "{{ 'a'.ljust(10000000000) }}",
    "huge-power": "{{ 9 ** 99999999 }}",
    "loop": "{% for k in ['__cl' ~ 'ass__'] %}{{ messages[k] }}{% endfor %}",
}
