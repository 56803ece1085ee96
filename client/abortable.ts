/** What the promise gives, or the signal's reason if that comes first; what the promise does later is nobody's business then. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { aborted, stop } = abortOf(signal);
  const settled = promise.then((value) => ({ value }));
  settled.catch(() => undefined);
  try {
    const first = await Promise.race([settled, aborted]);
    if (first !== undefined) return first.value;
    throw signal.reason;
  } finally {
    stop();
  }
}

function abortOf(signal: AbortSignal): { aborted: Promise<undefined>; stop: () => void } {
  let abort: () => void = () => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    abort = () => resolve(undefined);
  });
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return { aborted, stop: () => signal.removeEventListener('abort', abort) };
}
