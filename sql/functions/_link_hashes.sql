-- As a window function over the links that are added: each goes on from the one before it, in one pass. The first argument is where the first goes
-- on from.
create or replace aggregate seqctl._link_hashes(
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
) (
    sfunc = seqctl._link_hash,
    stype = bytea
);

comment on function seqctl._link_hashes(bytea, bigint, bigint, text, date, integer, bytea, bigint, timestamptz, name) is
    'The hashes of links that follow each other.';

revoke all on function seqctl._link_hashes(bytea, bigint, bigint, text, date, integer, bytea, bigint, timestamptz, name) from public;
