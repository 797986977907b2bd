"""Compiles the walk over pickle opcodes, the loops of LZ4 and those over numbers where Cython and a compiler are there; without them the same source runs as it is.

Everything else about the build is in pyproject.toml.
"""

from setuptools import Extension, setup

try:
    from Cython.Build import cythonize
except ImportError:
    modules = []
else:
    # the checks of bounds stay: this reads hostile files
    modules = cythonize(
        [
            Extension("openvet.formats.pickle.held", ["src/openvet/formats/pickle/held.py"]),
            Extension("openvet.formats.pickle.tape", ["src/openvet/formats/pickle/tape.py"]),
            # no products and sums in one instruction: norms would depend on the machine
            Extension(
                "openvet.inventory.compare.sweep",
                ["src/openvet/inventory/compare/sweep.py"],
                extra_compile_args=["-O3", "-ffp-contract=off"],
            ),
            Extension("openvet.io.archive.lz4_block", ["src/openvet/io/archive/lz4_block.py"]),
        ],
        build_dir="build",
        compiler_directives={
            "language_level": 3,
            "annotation_typing": False,
            "boundscheck": True,
            "wraparound": False,
            "initializedcheck": False,
        },
    )
    for each in modules:  # cythonize does not hand it on: what cannot be compiled is a warning
        each.optional = True

setup(ext_modules=modules)
