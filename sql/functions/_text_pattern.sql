-- Compiles a format to regular expressions that take a document number apart. They are matched against the group, \x01 and the text: in the
-- exact one the {group} of the format is a back reference, because a group may end in digits or hold the text around it; the loose one
-- takes any group, to say what is wrong. Captures: 1 is the group, the others are fields in order. The number may have any padding.
--
-- head and tail are the formats of what stands before and after the number, where they and the number are all there is: a text that has
-- them needs no regular expression, which takes five times as long.
create or replace function seqctl._text_pattern(
    p_format text,
    out exact text,
    out loose text,
    out fields text[],
    out head text,
    out tail text
)
language plpgsql
immutable
as $function$
declare
    v_token text;
    v_part text;
    v_is_simple boolean := true;
begin
    head := '';
    exact := '';
    loose := '';
    fields := '{}';
    for v_token in
        select m[1] from regexp_matches(p_format, '\{\{|\}\}|\{[^{}]*\}|[^{}]+', 'g') m
    loop
        if v_token like '{number%' and tail is null then
            tail := '';
        elsif tail is null then
            head := head || v_token;
        else
            tail := tail || v_token;
        end if;
        v_is_simple := v_is_simple and v_token not like '{random:%' and (v_token not like '{number%' or tail = '');
        if v_token !~ '^\{[^{]' then
            v_part := regexp_replace(
                case when v_token in ('{{', '}}') then left(v_token, 1) else v_token end, '([][\\^$.|?*+(){}])', '\\\1', 'g');
            exact := exact || v_part;
            loose := loose || v_part;
        elsif v_token like '{random:%' then
            v_part := format('[0-9A-Fa-f]{%s}', substring(v_token from '\d+'));
            exact := exact || v_part;
            loose := loose || v_part;
        else
            v_part := case v_token
                when '{group}' then '(\1)'
                when '{year}' then '([0-9][0-9][0-9][0-9])'
                when '{fiscal_year}' then '([0-9][0-9][0-9][0-9])'
                when '{quarter}' then '([1-4])'
                when '{year:2}' then '([0-9][0-9])'
                when '{month}' then '([0-9][0-9])'
                when '{day}' then '([0-9][0-9])'
                else '([0-9]+)'
            end;
            exact := exact || v_part;
            loose := loose || case when v_token = '{group}' then '(.*)' else v_part end;
            fields := fields || v_token;
        end if;
    end loop;
    exact := '^(.*)\x01' || exact || '$';
    loose := '^([^\x01]*)\x01' || loose || '$';
    if '{group}' <> all (fields) then
        exact := replace(exact, '^(.*)\x01', '^()');
        loose := exact;
    end if;
    if not v_is_simple then
        head := null;
        tail := null;
    end if;
end
$function$;

comment on function seqctl._text_pattern(text) is 'Regular expressions that read a document number of a format, and the fields that they capture.';

revoke all on function seqctl._text_pattern(text) from public;
