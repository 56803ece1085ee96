-- All of a link is hashed, in a text that no session setting changes (see _chain_content). Written in full, because the aggregate _link_hashes
-- evaluates it under the caller's search_path; without a SET clause, because it is called for each row.
create or replace function seqctl._link_hash(
    p_hash bytea,
    p_start bytea,
    p_ordinal bigint,
    p_number bigint,
    p_document_number text,
    p_on_date date,
    p_attachment_id integer,
    p_content bytea,
    p_replaces bigint,
    p_issued_at timestamptz,
    p_issued_by name
)
returns bytea
language sql
stable
as $function$
    select pg_catalog.sha256(
        pg_catalog.byteacat(
            coalesce(p_hash, p_start),
            pg_catalog.convert_to(
                pg_catalog.json_build_array(
                    p_ordinal, p_number, p_document_number, p_on_date, p_attachment_id, pg_catalog.encode(p_content, 'hex'), p_replaces,
                    pg_catalog.timezone('UTC', p_issued_at), p_issued_by
                )::pg_catalog.text,
                'UTF8'
            )
        )
    )
$function$;

comment on function seqctl._link_hash(bytea, bytea, bigint, bigint, text, date, integer, bytea, bigint, timestamptz, name) is
    'The hash of a link: over the hash of the link before it, or that from which it goes on, and all that the link says.';

revoke all on function seqctl._link_hash(bytea, bytea, bigint, bigint, text, date, integer, bytea, bigint, timestamptz, name) from public;
