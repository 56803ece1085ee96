create or replace function seqctl._create_attachment_function(
    p_attachment_id integer,
    p_name text,
    p_definition text
)
returns void
language plpgsql
volatile
as $function$
begin
    execute format('create or replace function %s %s', p_name, p_definition);
    -- Without its arguments, because there is one function of a name.
    p_name := split_part(p_name, '(', 1);
    perform seqctl._revoke_given(p_name::regproc);
    execute format(
        'comment on function %s is %L',
        p_name,
        (
            select format('Numbers %s.%I from series %s. Made by seqctl; see seqctl._generate_attachment.', a.target, a.number_column, s.name)
            from seqctl.attachment a
            join seqctl.series s on s.id = a.series_id
            where a.id = p_attachment_id
        )
    );
end
$function$;

comment on function seqctl._create_attachment_function(integer, text, text) is
    'Creates one function of an attachment, with its rights and comment.';

revoke all on function seqctl._create_attachment_function(integer, text, text) from public;
