# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion for balloonctl. Options and columns are those that its --help lists.

_balloonctl()
{
	# shellcheck disable=SC2034 # _init_completion sets all of them
	local cur prev words cword split command="" word i last
	_init_completion -s || return
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--sysroot | --color) ((i++)) ;;
		-*) ;;
		*)
			command=${words[i]}
			break
			;;
		esac
	done
	case $prev in
	--sysroot)
		_filedir -d
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
		return
		;;
	-i | --interval | -c | --count) return ;;
	-o | --output)
		case $command in
		list | show | watch)
			last=${cur##*,}
			word=${cur%"$last"}
			mapfile -t COMPREPLY < <(compgen -P "$word" -W \
				"$(balloonctl "$command" --help | sed -n '/^Columns:/,/^$/s/^  \([a-z_]*\) .*/\1/p')" -- "$last")
			compopt -o nospace
			;;
		*) _filedir ;;
		esac
		return
		;;
	esac
	if [[ $cur = -* ]]; then
		# shellcheck disable=SC2086 # no command is no word
		mapfile -t COMPREPLY < <(compgen -W \
			"$(balloonctl $command --help | grep -o -- ' --[a-z-]*')" -- "$cur")
	elif [[ -z $command ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(balloonctl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')" -- "$cur")
	else
		case $command in
		list | show | watch | compact)
			mapfile -t COMPREPLY < <(compgen -W "$(balloonctl list -n -o name 2>/dev/null)" -- "$cur")
			;;
		esac
	fi
} && complete -F _balloonctl balloonctl
