"""The rules, one file each, in the order of their codes.

RC0xx is the text as such (reply and gate), RC1xx the grammar of ReCode, RC2xx the language,
RC3xx quality: these warn, and refuse nothing unless a policy says so.
"""

from __future__ import annotations

from recode_runtime.grammar.rule import Rule
from recode_runtime.grammar.rules.attribute_placeholder import AttributePlaceholder
from recode_runtime.grammar.rules.class_definition import ClassDefinition
from recode_runtime.grammar.rules.depth_limit import DepthLimit
from recode_runtime.grammar.rules.endless_loop import EndlessLoop
from recode_runtime.grammar.rules.forbidden_builtin import ForbiddenBuiltin
from recode_runtime.grammar.rules.format_method import FormatMethod
from recode_runtime.grammar.rules.function_definition import FunctionDefinition
from recode_runtime.grammar.rules.import_not_allowed import ImportNotAllowed
from recode_runtime.grammar.rules.lambda_expression import LambdaExpression
from recode_runtime.grammar.rules.observation_dropped import ObservationDropped
from recode_runtime.grammar.rules.output_target import OutputTarget
from recode_runtime.grammar.rules.placeholder_argument import PlaceholderArgument
from recode_runtime.grammar.rules.placeholder_argument_unbound import PlaceholderArgumentUnbound
from recode_runtime.grammar.rules.placeholder_in_condition import PlaceholderInCondition
from recode_runtime.grammar.rules.placeholder_in_loop import PlaceholderInLoop
from recode_runtime.grammar.rules.placeholder_name import PlaceholderName
from recode_runtime.grammar.rules.placeholder_nested import PlaceholderNested
from recode_runtime.grammar.rules.primitive_call import PrimitiveCall
from recode_runtime.grammar.rules.promised_output import PromisedOutput
from recode_runtime.grammar.rules.rebinding import Rebinding
from recode_runtime.grammar.rules.self_expansion import SelfExpansion
from recode_runtime.grammar.rules.several_on_a_line import SeveralOnALine
from recode_runtime.grammar.rules.single_placeholder import SinglePlaceholder
from recode_runtime.grammar.rules.swallowing_handler import SwallowingHandler
from recode_runtime.grammar.rules.too_many_primitives import TooManyPrimitives
from recode_runtime.grammar.rules.unbound_name import UnboundName
from recode_runtime.grammar.rules.uncompilable import Uncompilable
from recode_runtime.grammar.rules.underscore_name import UnderscoreName
from recode_runtime.grammar.rules.unreachable import Unreachable
from recode_runtime.grammar.rules.unsupported_syntax import UnsupportedSyntax
from recode_runtime.grammar.rules.unused_variable import UnusedVariable

ALL_RULES: tuple[type[Rule], ...] = (
    FunctionDefinition,
    ClassDefinition,
    LambdaExpression,
    PlaceholderInLoop,
    PlaceholderInCondition,
    PlaceholderNested,
    AttributePlaceholder,
    PlaceholderName,
    PlaceholderArgument,
    PlaceholderArgumentUnbound,
    OutputTarget,
    UnboundName,
    PromisedOutput,
    DepthLimit,
    SelfExpansion,
    ImportNotAllowed,
    UnderscoreName,
    Rebinding,
    UnsupportedSyntax,
    ForbiddenBuiltin,
    Uncompilable,
    SwallowingHandler,
    FormatMethod,
    ObservationDropped,
    TooManyPrimitives,
    SinglePlaceholder,
    EndlessLoop,
    Unreachable,
    UnusedVariable,
    PrimitiveCall,
    SeveralOnALine,
)
