-- What a table holds when it is attached, or when its series begins to keep a chain, joins the chains. The table is locked. The counters are
-- updated, which locks them, and gives an older REPEATABLE READ snapshot a clean 40001.
--
-- Of a row that has a link with a content already, nothing is said again but what other columns make necessary; and only if it is still what
-- that link says by the columns of that time. So whoever detaches a table, alters it and attaches it again has not had it recorded anew: verify
-- finds the row altered. So it does where a column of that time is gone, and nothing can tell any more; one that has another name now is
-- the same content.
create or replace function seqctl._chain_attached(p_attachment_id integer)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set row_security = off
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $function$
declare
    v_attachment seqctl.attachment;
    v_former seqctl.attachment;
    v_scope seqctl.chain_scope;
    v_scopes integer[] := '{}';
    v_contents text[] := '{}';
    v_source text;
    v_has_rows boolean;
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    if not exists (select from seqctl.series s where s.id = v_attachment.series_id and s.chain) then
        return;
    end if;
    insert into seqctl.chain_scope (attachment_id, series_id, table_name, document_number_column, date_column, chain_columns)
    values (
        v_attachment.id, v_attachment.series_id, v_attachment.target::text, v_attachment.document_number_column, v_attachment.date_column,
        v_attachment.chain_columns
    )
    on conflict do nothing;
    execute format('select exists (%s)', seqctl._chain_source(v_attachment, 'null')) into v_has_rows;
    if not v_has_rows then
        return;
    end if;

    for v_scope in
        select c.*
        from seqctl.chain_scope c
        where c.series_id = v_attachment.series_id
            and not exists (
                select
                from unnest(array[c.document_number_column, c.date_column] || c.chain_columns) as n (name)
                where n.name is not null and not exists (
                    select from pg_attribute a where a.attrelid = v_attachment.target and a.attname = n.name and not a.attisdropped
                )
            )
        order by c.attachment_id
    loop
        v_former := v_attachment;
        v_former.document_number_column := v_scope.document_number_column;
        v_former.date_column := v_scope.date_column;
        v_former.chain_columns := v_scope.chain_columns;
        v_scopes := v_scopes || v_scope.attachment_id;
        v_contents := v_contents || seqctl._chain_content('i.', v_former);
    end loop;
    v_source := seqctl._chain_source(v_attachment, format('array[%s]::pg_catalog.bytea[]', array_to_string(v_contents, ', ')));

    perform seqctl._lock_counters(v_attachment.series_id, null, null);
    update seqctl.counter c set last_number = c.last_number where c.series_id = v_attachment.series_id;
    execute format('with counter as materialized (select distinct q.group_key, q.period from (%s) q), ', v_source)
        || seqctl._chain_query(v_attachment.series_id, 'counter', format(
            $rows$select q.*, k.ordinal as replaces
            from (%s) q
            left join (
                select *
                from seqctl.chain_link k
                where k.series_id = %s
                    and not exists (
                        select
                        from seqctl.chain_link l
                        where l.series_id = k.series_id and l.group_key = k.group_key and l.period = k.period and l.replaces = k.ordinal
                    )
            ) k on k.group_key collate "C" = q.group_key collate "C" and k.period = q.period and k.number = q.number
            where k.content is null
                or k.content <> q.content and q.former[array_position(%L::int4[], k.attachment_id)] = k.content$rows$,
            v_source, v_attachment.series_id, v_scopes
        )) || ' select';
end
$function$;

comment on function seqctl._chain_attached(integer) is 'Adds the numbered rows of a table to the hash chains of its series, if it keeps some.';

revoke all on function seqctl._chain_attached(integer) from public;
