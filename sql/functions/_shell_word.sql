-- For hints that name a command: quote_literal() is for SQL, and a shell reads another word.
create or replace function seqctl._shell_word(p_text text)
returns text
language sql
immutable
as $function$
    select case when p_text ~ '^[A-Za-z0-9_.-]+$' then p_text else '''' || replace(p_text, '''', '''\''''') || '''' end
$function$;

comment on function seqctl._shell_word(text) is 'Text as one word of a POSIX shell.';

revoke all on function seqctl._shell_word(text) from public;
