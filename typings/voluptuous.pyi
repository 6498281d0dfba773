# Home Assistant puts probatio in voluptuous' place when it starts. For mypy, so does this file.
from probatio import *
