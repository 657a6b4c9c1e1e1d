"""Every name of every facade does in a session what it does outside, though no file can be read."""

from __future__ import annotations

import importlib
import re

import pytest

from recode_runtime.policy import Policy
from sessions import opened

FACADES = Policy.named("strict").language.facades
EXPRESSIONS = r"""
[f(0.5) for f in (math.acos, math.asin, math.atan, math.cos, math.sin, math.tan, math.exp)]
[f(1.5) for f in (math.ceil, math.floor, math.trunc, math.fabs, math.modf, math.sqrt, math.log)]
[f(8) for f in (math.log2, math.log10, math.log1p, math.isqrt, math.degrees, math.radians)]
[f(math.inf) for f in (math.isfinite, math.isinf, math.isnan)] + [math.isnan(math.nan)]
[f(6, 4) for f in (math.comb, math.perm, math.gcd, math.lcm, math.fmod, math.pow, math.hypot)]
[f(6, 4) for f in (math.atan2, math.copysign, math.ldexp, math.isclose)]
[math.dist([0, 0], [3, 4]), math.fsum([0.1] * 10), math.prod([2, 3]), math.e, math.pi, math.tau]
json.loads(json.dumps({'a': [1, None, 'é', 1.5]}, indent=1, sort_keys=True))
issubclass(json.JSONDecodeError, ValueError)
re.compile(r'\N{DIGIT ONE}|a.', re.DOTALL | re.IGNORECASE | re.MULTILINE).findall('1A\n')
[re.findall(r'\w+', 'a.b'), [m.span() for m in re.finditer('a', 'banana')], re.escape('a.b')]
[re.fullmatch('a+', 'aa').group(), re.match('(a)b', 'ab').groups(), re.search('b', 'ab').start()]
[re.split(r'\W', 'a.b', maxsplit=1), re.sub('a', lambda m: m[0].upper(), 'banana', count=2)]
issubclass(re.error, Exception)
[random.choice([7]), random.choices([7], k=2), random.randint(3, 3), random.uniform(2, 2)]
[0 <= random.random() < 1, sorted(random.sample([1, 2], 2)), random.shuffle([]), random.seed('x')]
[f([1, 2, 4.5]) for f in (statistics.fmean, statistics.mean, statistics.median, statistics.stdev)]
[statistics.mode('abb'), statistics.pstdev([1, 2, 3])]
[collections.Counter('aabbb').most_common(1), list(collections.OrderedDict(a=1))]
[collections.defaultdict(list)['k'], list(collections.deque([1, 2, 3], maxlen=2))]
[list(itertools.accumulate([1, 2])), list(itertools.chain([1], [2])), next(itertools.cycle('ab'))]
[list(f('abc', 2)) for f in (itertools.combinations, itertools.permutations, itertools.islice)]
[list(f('ab', 'cde')) for f in (itertools.product, itertools.zip_longest)]
[[k for k, _ in itertools.groupby('aab')], list(itertools.pairwise('abc'))]
[next(itertools.count(3)), list(itertools.repeat(1, 2)), list(itertools.takewhile(bool, [1, 0]))]
datetime.date.fromisoformat('2024-02-29').strftime('%A, %d %B %Y')
datetime.datetime.strptime('29 Feb 2024', '%d %b %Y').replace(tzinfo=datetime.timezone.utc)
[str(datetime.time(1, 2).replace(minute=3)), str(datetime.timedelta(hours=30))]
[string.ascii_letters, string.ascii_lowercase, string.ascii_uppercase, string.digits]
string.punctuation
[textwrap.dedent('  a'), textwrap.fill('a b', 1), textwrap.indent('a', '-')]
[textwrap.wrap('a b', 1), textwrap.shorten('a b c d', 6, placeholder='~')]
(1 << 400_000) // (3 << 100_000) % 1_000_003
"""


def test_no_name_is_left_out() -> None:
    """A name that is added to the policy has to be used here."""
    names = {f"{title}.{name}" for title, names in FACADES.items() for name in names}
    assert names == set(re.findall(r"\b(?:{})\.\w+".format("|".join(FACADES)), EXPRESSIONS))


@pytest.mark.parametrize("expression", EXPRESSIONS.strip().splitlines())
async def test_a_name_of_a_facade_works_in_a_session(expression: str) -> None:
    """With the same value; nothing that it needs is still to be read from a file."""
    modules = {title: importlib.import_module(title) for title in FACADES}
    expected = eval(expression, dict(modules))
    async with opened(statement_seconds=5.0) as session:
        outcome = await session.execute(f"import {', '.join(modules)}\nx = repr({expression})")
        assert outcome.failure is None
        read = await session.execute("pass", want=["x"])
        assert read.variables == {"x": repr(expected)}
