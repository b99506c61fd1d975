from concurrent.futures import ThreadPoolExecutor

__all__ = ("IDLE_SECONDS", "MOST_IDLE", "end_idle", "idle_threads", "keep_threads")

IDLE_SECONDS: float
MOST_IDLE: int

def keep_threads(executor: ThreadPoolExecutor) -> bool: ...
def idle_threads() -> int: ...
def end_idle() -> None: ...
