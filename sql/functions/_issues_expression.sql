create or replace function seqctl._issues_expression(
    p_attachment seqctl.attachment,
    p_prefix text
)
returns text
language sql
stable
as $function$
    select case when p_attachment.issue_when is null then 'true' else format(
        'seqctl._attachment_%s_issues(%s)',
        p_attachment.id,
        (select string_agg(p_prefix || quote_ident(c.name), ', ' order by c.position)
        from unnest(p_attachment.issue_columns) with ordinality as c (name, position))
    ) end
$function$;

comment on function seqctl._issues_expression(seqctl.attachment, text) is
    'SQL text that says whether a row is to be issued; p_prefix stands before each column.';

revoke all on function seqctl._issues_expression(seqctl.attachment, text) from public;
