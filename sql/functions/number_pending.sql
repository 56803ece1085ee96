-- The rows are locked, then their counters, then all are numbered, in the order of their dates and of the primary key. Callers that
-- meet wait for each other at the first row or counter that they share; the second one numbers what the first one left. It pins no
-- search_path, to hand the session's on to the triggers of the table.
create or replace function seqctl.number_pending(
    target regclass,
    number_column name default 'number',
    max_rows bigint default null
)
returns bigint
language sql
volatile
security invoker
as $function$
    select seqctl._number_pending(target, number_column, max_rows, pg_catalog.current_setting('search_path'))
$function$;

comment on function seqctl.number_pending(regclass, name, bigint) is
    'Numbers the pending rows of a table in the order of their dates; returns how many.';

revoke all on function seqctl.number_pending(regclass, name, bigint) from public;
