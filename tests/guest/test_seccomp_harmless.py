"""Library code that means no harm: it runs behind the filter, and no call of it is the end.

Where it asks for what is not there (files, a network, other signals), it must be told so by an
error that it can live with.
"""

from __future__ import annotations

import importlib
import textwrap

import pytest

from sessions import opened
from walls import bare

# Modules by what they are for, with a program that uses them; `refused` runs what must fail.
PROGRAMS = {
    "text": (
        "csv difflib io json pprint re string textwrap tokenize unicodedata",
        """
        json.loads(json.dumps({'a': [1.5, None]}))
        list(csv.reader(io.StringIO('a,b')))
        list(difflib.ndiff(['a'], ['b']))
        pprint.pformat({1: ['x' * 100]})
        """,
    ),
    "numbers": (
        "cmath decimal fractions math random secrets statistics",
        """
        random.seed(); random.SystemRandom().random(); secrets.token_hex()
        statistics.stdev([1, 2, 4]); decimal.Decimal(1) / 7
        """,
    ),
    "time": (
        "calendar datetime time _strptime",
        """
        time.sleep(0.001); time.localtime(); time.strftime('%c %Z'); time.tzset()
        time.process_time(); time.thread_time(); time.get_clock_info('monotonic')
        datetime.datetime.now().astimezone(); time.strptime('2020', '%Y')
        """,
    ),
    "time zones": (
        "zoneinfo",
        """
        refused(lambda: zoneinfo.ZoneInfo('Europe/Berlin'))
        """,
    ),
    "digests": (
        "base64 hashlib hmac uuid",
        """
        hashlib.sha256(b'').hexdigest(); hashlib.pbkdf2_hmac('sha256', b'a', b'b', 10)
        hmac.new(b'a', b'b', 'sha256').hexdigest(); uuid.uuid1(); uuid.uuid4()
        """,
    ),
    "compression": (
        "bz2 gzip io lzma tarfile zipfile zlib",
        """
        [len(one.compress(b'a' * 10**5)) for one in (bz2, gzip, lzma, zlib)]
        zipfile.ZipFile(io.BytesIO(), 'w').close()
        """,
    ),
    "structures": (
        "array bisect collections contextvars copy dataclasses enum gc heapq pickle weakref",
        """
        pickle.loads(pickle.dumps({1: (2, 3)})); copy.deepcopy([[1]]); gc.collect()
        dataclasses.make_dataclass('P', ['x'])(1)
        """,
    ),
    "large memory": (
        "mmap",
        """
        x = bytearray(10**8); x.extend(b'a' * 10**7); del x
        m = mmap.mmap(-1, 10**6); m[:3] = b'abc'; m.resize(2 * 10**6); m.close()
        sorted(range(10**5), key=lambda v: -v)
        """,
    ),
    "logs and errors": (
        "inspect linecache logging traceback warnings",
        """
        logging.basicConfig(); logging.getLogger('x').warning('hello')
        linecache.getline('x.py', 1); warnings.warn('w')
        try:
            1 / 0
        except ZeroDivisionError:
            traceback.print_exc()
        """,
    ),
    "programs and their parts": (
        "argparse ast dis doctest importlib pkgutil pstats cProfile timeit unittest",
        """
        list(pkgutil.iter_modules()); dis.dis('x = 1'); timeit.timeit('1', number=9)
        cProfile.run('1')
        refused(lambda: argparse.ArgumentParser().parse_args(['--nope']))
        """,
    ),
    "configuration and markup": (
        "configparser html html.parser http.cookies xml.etree.ElementTree",
        """
        import xml.etree.ElementTree as tree
        tree.fromstring('<a><b/></a>'); configparser.ConfigParser().read('/etc/x.ini')
        """,
    ),
    "a data base in memory": (
        "sqlite3",
        """
        d = sqlite3.connect(':memory:'); d.execute('create table t (a)')
        d.executemany('insert into t values (?)', [(i,) for i in range(10_000)])
        d.execute('select a from t order by -a').fetchall()
        """,
    ),
    "names of places": (
        "gettext ipaddress locale mimetypes urllib.parse",
        """
        mimetypes.guess_type('a.png'); locale.strxfrm('a')
        refused(lambda: locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8'))
        """,
    ),
    "locks": (
        "queue threading",
        """
        one = threading.Lock(); one.acquire(); one.acquire(timeout=0.01)
        threading.Event().wait(0.01); threading.RLock().acquire()
        with threading.Condition() as c:
            pass
        refused(threading.Thread(target=print).start)
        """,
    ),
    "pools": (
        "concurrent.futures concurrent.futures.thread",
        """
        from concurrent.futures import ThreadPoolExecutor
        refused(lambda: ThreadPoolExecutor(1).submit(print))
        """,
    ),
    "files": (
        "fnmatch glob os pathlib shelve dbm shutil tempfile",
        """
        glob.glob('/*'); shutil.which('ls'); pathlib.Path('/x').exists(); list(os.walk('/'))
        for one in (os.getcwd, os.listdir, lambda: os.scandir('/'), lambda: open('x', 'w')):
            refused(one)
        for one in (tempfile.NamedTemporaryFile, lambda: shelve.open('x'), pathlib.Path.cwd):
            refused(one)
        refused(lambda: os.fdopen(1, 'w').write('x'))
        """,
    ),
    "the machine": (
        "getpass os platform resource",
        """
        os.cpu_count(); platform.python_version(); resource.getrlimit(resource.RLIMIT_AS)
        os.getpid(), os.getppid(), os.getuid(), os.urandom(3)
        for one in (platform.platform, platform.node, os.uname, getpass.getuser, os.getlogin):
            refused(one)
        for name in ('SC_PHYS_PAGES', 'SC_NPROCESSORS_ONLN', 'SC_OPEN_MAX'):
            os.sysconf(name)
        """,
    ),
    "the network": (
        "encodings.idna socket ssl urllib.request",
        """
        for one in (socket.socket, socket.gethostname, ssl.create_default_context):
            refused(one)
        refused(lambda: socket.getaddrinfo('localhost', 1))
        refused(lambda: urllib.request.urlopen('http://127.0.0.1:1'))
        """,
    ),
    "signals": (
        "faulthandler signal",
        """
        refused(lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
        refused(faulthandler.enable); signal.getsignal(signal.SIGINT)
        """,
    ),
}
REFUSED = """
def refused(function):
    "Run what may fail, as programs do that have another way."
    try:
        function()
    except (Exception, SystemExit):
        pass
"""


def has(module: str) -> bool:
    """Whether this Python was built with it."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("what", PROGRAMS)
async def test_library_code_that_means_no_harm_goes_on(what: str) -> None:
    """It ends well, with no word of a system call."""
    names, program = PROGRAMS[what]
    modules = tuple(name for name in names.split() if has(name))
    assert modules
    policy = bare(statement_seconds=30.0, statement_cpu_seconds=30.0)
    policy = policy.but(language={"preload": modules})
    imports = "".join(f"import {name}\n" for name in modules)
    async with opened({}, policy=policy) as session:
        outcome = await session.execute(f"{imports}{REFUSED}{textwrap.dedent(program)}")
        assert outcome.failure is None, outcome.failure.traceback
