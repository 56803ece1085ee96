-- The triggers that guard issued rows decide in their WHEN clauses, so that other rows cost nothing; this one only says no.
-- Arguments: number column, what is refused.
create or replace function seqctl._protect()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ022',
        message = format('number %s of %s is issued; %s', to_jsonb(old) ->> tg_argv[0], tg_relid::regclass, tg_argv[1]),
        detail = 'An issued number stands in the documents of others. Nothing was changed.',
        hint = 'Cancel it with a document of its own (a credit note), or mark the row as cancelled. Who may take the guard away: '
            'the table''s owner, by detaching and attaching with protect => false.';
end
$function$;

comment on function seqctl._protect() is 'Trigger: refuses what would delete or renumber an issued row, with SQ022.';

revoke all on function seqctl._protect() from public;
