"""What modules there are in the world, as far as we know, and how one that is missing is installed.

Written by hand, of what is imported most. A name that stands here is no slip of the finger,
whether it is installed or not.
"""

from __future__ import annotations

import re
import sys

from surefill.diagnostics.problem import Problem
from surefill.syntax.document import Snapshot

_DISTRIBUTIONS = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "argon2": "argon2-cffi",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "factory": "factory-boy",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "github": "PyGithub",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "hydra": "hydra-core",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "kafka": "kafka-python",
    "magic": "python-magic",
    "markdown": "Markdown",
    "multipart": "python-multipart",
    "mysql.connector": "mysql-connector-python",
    "nacl": "PyNaCl",
    "pdfminer": "pdfminer.six",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "rest_framework": "djangorestframework",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "snappy": "python-snappy",
    "socks": "PySocks",
    "telegram": "python-telegram-bot",
    "usb": "pyusb",
    "vcr": "vcrpy",
    "websocket": "websocket-client",
    "win32api": "pywin32",
    "wx": "wxPython",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Distributions that have another name than their module."""
_SAME_NAME = """
aiofiles aiohttp aioredis alembic altair annoy anthropic anyio appdirs argcomplete arrow asgiref
asttokens asyncpg attrs authlib autopep8 babel bcrypt beartype black bleach blinker bokeh boto
boto3 botocore bottle cachetools catboost cattrs celery certifi cffi chardet cherrypy click
cloudpickle colorama conan coverage croniter cryptography cupy cython dash dask databases
datasets deepdiff dill diskcache distributed django docker docopt docutils elasticsearch
evaluate exceptiongroup falcon fastapi fastavro feedparser filelock fire flake8 flask flax flit
freezegun fsspec gensim geopandas gevent gradio graphene greenlet gunicorn h11 h2 h5py hatch
hatchling httplib2 httptools httpx hypothesis icecream idna ijson imageio importlib_metadata
importlib_resources ipykernel ipython ipywidgets isort itsdangerous jax jedi jinja2 jmespath
joblib json5 jsonpickle jsonschema jupyter keras kombu langchain lark librosa lightgbm lightning
llvmlite loguru lxml lz4 mako markdown2 markupsafe marshmallow matplotlib mistune mlflow mock
mongoengine more_itertools moto motor mpmath msgpack msgspec multidict mypy neo4j networkx ninja
nltk nose notebook nox numba numexpr numpy oauthlib omegaconf onnx onnxruntime openai openpyxl
optuna orjson oscrypto packaging pandas panel paramiko parso passlib pathlib2 pathspec peewee
pendulum pexpect pika pip pipenv platformdirs playwright plotly pluggy ply poetry polars
portalocker prettytable prompt_toolkit psutil psycopg ptyprocess pyarrow pyasn1 pybind11
pycparser pydantic pydot pygame pygments pymongo pymysql pynput pyparsing pyperclip pyramid
pyspark pytest pytz pyvista quart rasterio ray redis regex requests requests_oauthlib rich rq
rsa s3fs sanic scapy scipy scrapy seaborn selenium sentence_transformers sentry_sdk setuptools
shapely simplejson six skorch smart_open sniffio sortedcontainers spacy sphinx sqlalchemy
sqlmodel sqlparse starlette statsmodels streamlit structlog sympy tables tabulate tenacity
tensorboard tensorflow termcolor testcontainers textual thinc threadpoolctl tiktoken timm
tinycss2 tokenizers toml tomli tomli_w tomlkit toolz torch torchaudio torchtext torchvision
tornado tox tqdm traitlets transformers trimesh trio twisted typeguard typer typing_extensions
tzdata tzlocal ujson unidecode urllib3 uvicorn uvloop virtualenv wandb watchdog watchfiles
wcwidth websockets werkzeug wheel wrapt wtforms xarray xgboost xlrd xlsxwriter xmltodict yarl
zarr zeep zipp zstandard
"""
_OLD = """
ConfigParser Cookie HTMLParser Queue SocketServer StringIO Tkinter asynchat asyncore cPickle
cStringIO cgi cgitb commands crypt distutils httplib imghdr imp mailcap md5 msilib nis nntplib
ossaudiodev pipes sets sha smtpd sndhdr spwd sunau telnetlib tkMessageBox tomllib urllib2
urlparse uu xdrlib
"""
"""Modules of Python's own that some version does not have."""

_TOP_LEVEL = re.compile(r"(?:^|;)\s*(?:from\s+|import\s+(?:[\w.]+(?:\s+as\s+\w+)?\s*,\s*)*)$")
_KNOWN = frozenset(_SAME_NAME.split())
_KNOWN_OLD = frozenset(_OLD.split())


def is_known(module: str) -> bool:
    """Whether there is a module of this name, installed or not."""
    top = module.partition(".")[0]
    return (
        top in sys.stdlib_module_names
        or top in _KNOWN
        or top in _DISTRIBUTIONS
        or top in _KNOWN_OLD
        or any(each.startswith(f"{top}.") for each in _DISTRIBUTIONS)
    )


def distribution_of(module: str) -> str:
    """The name under which a module is installed; empty where we know of none.

    Of a name that nobody knows nothing is said: it may be a slip, and what is installed by it
    somebody's trap.
    """
    parts = module.split(".")
    for count in range(len(parts), 0, -1):
        name = ".".join(parts[:count])
        if name in _DISTRIBUTIONS:
            return _DISTRIBUTIONS[name]
    top = parts[0]
    return top.replace("_", "-") if top in _KNOWN else ""


def how_to_install(module: str) -> str:
    """What to type for a module that is not installed; empty where we do not know its package."""
    distribution = distribution_of(module)
    return f"python -m pip install {distribution}" if distribution else ""


def missing_package(snapshot: Snapshot, problem: Problem) -> str:
    """The module of a package that a problem's import wants and that is not installed.

    Empty where the problem is another one, or where nobody knows such a package.
    """
    if not is_top_level(snapshot, problem) or not distribution_of(problem.name):
        return ""
    return problem.name


def is_top_level(snapshot: Snapshot, problem: Problem) -> bool:
    """Whether what does not exist is a module that would have to be installed."""
    start = problem.range.start
    before = snapshot.line(start.line)[: start.character]
    return problem.category == "unresolved-import" and _TOP_LEVEL.search(before) is not None
