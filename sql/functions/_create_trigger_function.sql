create or replace function seqctl._create_trigger_function(
    p_attachment_id integer,
    p_kind text,
    p_body text,
    p_settings text default ''
)
returns void
language plpgsql
volatile
as $function$
declare
    v_name text := format('seqctl._attachment_%s_%s()', p_attachment_id, p_kind);
begin
    execute format(
        'create or replace function %s returns trigger language plpgsql security definer %s as %L',
        v_name,
        p_settings,
        p_body
    );
    execute format('revoke all on function %s from public', v_name);
    execute format(
        'comment on function %s is %L',
        v_name,
        (
            select format('Numbers %s.%I from series %s. Made by seqctl; see seqctl._generate_attachment.', a.target, a.number_column, s.name)
            from seqctl.attachment a
            join seqctl.series s on s.id = a.series_id
            where a.id = p_attachment_id
        )
    );
end
$function$;

comment on function seqctl._create_trigger_function(integer, text, text, text) is
    'Creates one trigger function of an attachment, with its rights and comment.';

revoke all on function seqctl._create_trigger_function(integer, text, text, text) from public;
