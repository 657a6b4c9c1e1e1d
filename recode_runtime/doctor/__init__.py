"""What the process wall comes to on this machine, measured by trying: `recode doctor`."""

from recode_runtime.doctor.drawing import drawn
from recode_runtime.doctor.examination import Examination, examined

__all__ = ["Examination", "drawn", "examined"]
