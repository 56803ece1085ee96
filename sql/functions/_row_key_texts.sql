-- As attach writes them down; a key that reads otherwise later is another one.
create or replace function seqctl._row_key_texts(p_target regclass)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
    select array(select format('%I %s', k.name, k.type) from seqctl._row_keys(p_target) k order by k.key_position)
$function$;

comment on function seqctl._row_key_texts(regclass) is 'The columns of a table''s primary key, each with its base type: {id pg_catalog.int8}.';

revoke all on function seqctl._row_key_texts(regclass) from public;
