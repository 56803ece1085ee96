create or replace function seqctl._write_signature(p_write_function text)
returns text
language sql
immutable
as $function$
    select p_write_function || '(pg_catalog.oid, pg_catalog.oid[], pg_catalog.tid[], pg_catalog.int8[], pg_catalog.text[], '
        'pg_catalog.timestamp[], pg_catalog.text[], pg_catalog.int8, pg_catalog.text, pg_catalog.int4)'
$function$;

comment on function seqctl._write_signature(text) is 'The function that writes numbers, with the types of its arguments.';

revoke all on function seqctl._write_signature(text) from public;
