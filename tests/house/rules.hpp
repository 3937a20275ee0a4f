// SPDX-License-Identifier: MIT
// The rules of the house as functions over the text of the headers: each returns its complaints.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <house/layers.hpp>

namespace house {

/// The headers by their path under include/multiprocessing/, such as "detail/codec.hpp".
using tree = std::map<std::string, std::string>;
using complaints = std::vector<std::string>;

/// The text with every comment made blank; lines keep their numbers.
inline std::string without_comments(std::string_view text) {
    enum class in { code, line_comment, block_comment, string, character };
    std::string code(text);
    in state = in::code;
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i];
        const char next = i + 1 < code.size() ? code[i + 1] : '\0';
        const bool in_comment = state == in::line_comment || state == in::block_comment;
        if (c == '\n') {
            if (state != in::block_comment)
                state = in::code;
        } else if (state == in::code && c == '/' && (next == '/' || next == '*')) {
            state = next == '/' ? in::line_comment : in::block_comment;
            code[i] = code[i + 1] = ' ';
            ++i;
        } else if (state == in::block_comment && c == '*' && next == '/') {
            state = in::code;
            code[i] = code[i + 1] = ' ';
            ++i;
        } else if (in_comment) {
            code[i] = ' ';
        } else if (state == in::code && c == '"') {
            state = in::string;
        } else if (state == in::code && c == '\'') {
            // The apostrophe of 1'000 opens nothing.
            const bool in_number = i > 0 && std::isalnum(static_cast<unsigned char>(code[i - 1]));
            if (!in_number)
                state = in::character;
        } else if (state == in::string || state == in::character) {
            if (c == '\\')
                ++i;
            else if (c == (state == in::string ? '"' : '\''))
                state = in::code;
        }
    }
    return code;
}

inline std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

inline std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

struct directive {
    std::size_t line;
    std::string name;  // "include"
    std::string argument;  // "<vector>"
};

inline std::vector<directive> directives_of(std::string_view code) {
    std::vector<directive> found;
    const auto lines = lines_of(code);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string_view line = trimmed(lines[i]);
        if (!line.starts_with('#'))
            continue;
        line = trimmed(line.substr(1));
        const auto name_end = std::find_if_not(line.begin(), line.end(), [](char c) {
            return std::isalpha(static_cast<unsigned char>(c)) != 0;
        });
        const auto length = static_cast<std::size_t>(name_end - line.begin());
        found.push_back({i + 1, std::string(line.substr(0, length)),
                         std::string(trimmed(line.substr(length)))});
    }
    return found;
}

inline std::vector<directive> includes_of(std::string_view text) {
    auto found = directives_of(without_comments(text));
    std::erase_if(found, [](const directive& d) { return d.name != "include"; });
    return found;
}

/// "detail/codec.hpp" for `<multiprocessing/detail/codec.hpp>`, nothing for a foreign header.
inline std::optional<std::string> own_header(std::string_view argument) {
    constexpr std::string_view prefix = "<multiprocessing/";
    if (!argument.starts_with(prefix) || !argument.ends_with('>'))
        return std::nullopt;
    return std::string(argument.substr(prefix.size(), argument.size() - prefix.size() - 1));
}

inline bool is_backend(std::string_view path) {
    return path.starts_with("detail/posix/") || path.starts_with("detail/windows/");
}

inline bool is_public(std::string_view path) {
    return path.find('/') == path.npos;
}

/// Null where the table says nothing of the header.
inline const place* place_of(std::string_view path) {
    for (const place& p : layers) {
        if (p.header.ends_with('/') ? path.starts_with(p.header)
                                    : path == std::string(p.header) + ".hpp")
            return &p;
    }
    return nullptr;
}

inline std::string at(std::string_view path, std::size_t line) {
    return std::string(path) + ":" + std::to_string(line) + ": ";
}

inline complaints check_every_header_has_a_place(const tree& headers) {
    complaints found;
    for (const auto& [path, text] : headers) {
        if (!place_of(path))
            found.push_back(path +
                            ": stands in no layer; give it a line in tests/house/layers.hpp");
    }
    return found;
}

inline complaints check_includes_point_downwards(const tree& headers) {
    complaints found;
    for (const auto& [path, text] : headers) {
        const place* from = place_of(path);
        for (const directive& d : includes_of(text)) {
            const auto target = own_header(d.argument);
            const place* to = target ? place_of(*target) : nullptr;
            if (d.argument.starts_with('"'))
                found.push_back(at(path, d.line) + d.argument +
                                " is not written as <multiprocessing/...>");
            else if (target && !headers.contains(*target))
                found.push_back(at(path, d.line) + d.argument + " does not exist");
            else if (target && is_backend(*target) && !is_backend(path) &&
                     !path.starts_with("detail/os/"))
                found.push_back(at(path, d.line) + d.argument +
                                " is a backend, which only detail/os may include");
            else if (from && to && to->layer > from->reaches)
                found.push_back(at(path, d.line) + d.argument + " of layer " +
                                std::to_string(to->layer) + " from layer " +
                                std::to_string(from->layer) + ", which reaches up to layer " +
                                std::to_string(from->reaches));
        }
    }
    return found;
}

/// Walks the includes depth first; `way` is the chain from the start to here.
inline void look_for_cycle(const tree& headers, const std::string& path,
                           std::vector<std::string>& way, std::set<std::string>& done,
                           complaints& found) {
    const auto seen = std::find(way.begin(), way.end(), path);
    if (seen != way.end()) {
        std::string cycle;
        for (auto step = seen; step != way.end(); ++step)
            cycle += *step + " -> ";
        found.push_back("cycle: " + cycle + path);
        return;
    }
    const auto header = headers.find(path);
    if (header == headers.end() || done.contains(path))
        return;
    way.push_back(path);
    for (const directive& d : includes_of(header->second)) {
        if (const auto target = own_header(d.argument))
            look_for_cycle(headers, *target, way, done, found);
    }
    way.pop_back();
    done.insert(path);
}

inline complaints check_no_include_cycle(const tree& headers) {
    complaints found;
    std::set<std::string> done;
    for (const auto& [path, text] : headers) {
        std::vector<std::string> way;
        look_for_cycle(headers, path, way, done, found);
    }
    return found;
}

/// The system is asked for in config.hpp and detail/os/ only; backends do not ask, they are chosen.
inline complaints check_no_system_macro(const tree& headers) {
    static constexpr std::string_view macros[] = {"_WIN32",
                                                  "_WIN64",
                                                  "WIN32",
                                                  "__linux__",
                                                  "__linux",
                                                  "__APPLE__",
                                                  "__unix__",
                                                  "__unix",
                                                  "__FreeBSD__",
                                                  "__MINGW32__",
                                                  "__MINGW64__",
                                                  "__CYGWIN__",
                                                  "_MSC_VER",
                                                  "__GLIBC__",
                                                  "__ANDROID__",
                                                  "MULTIPROCESSING_POSIX",
                                                  "MULTIPROCESSING_WINDOWS"};
    const auto in_name = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    complaints found;
    for (const auto& [path, text] : headers) {
        if (path == "config.hpp" || path.starts_with("detail/os/"))
            continue;
        const std::string code = without_comments(text);
        const auto lines = lines_of(code);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            for (auto word = lines[i].begin(); word != lines[i].end();) {
                const auto start = std::find_if(word, lines[i].end(), in_name);
                word = std::find_if_not(start, lines[i].end(), in_name);
                const std::string_view name(start, word);
                if (std::find(std::begin(macros), std::end(macros), name) != std::end(macros))
                    found.push_back(at(path, i + 1) + std::string(name) +
                                    " asks for the system outside config.hpp and detail/os/");
            }
        }
    }
    return found;
}

/// Headers of the standard library have no ending. <cxxabi.h> is the compiler's, on any system that
/// it is for; every other .h is a platform's.
inline complaints check_no_platform_header(const tree& headers) {
    complaints found;
    for (const auto& [path, text] : headers) {
        if (is_backend(path))
            continue;
        for (const directive& d : includes_of(text)) {
            const bool foreign = d.argument.starts_with('<') && !own_header(d.argument);
            if (foreign && d.argument != "<cxxabi.h>" &&
                d.argument.find_first_of("./") != d.argument.npos)
                found.push_back(at(path, d.line) + d.argument +
                                " is a platform's header, which only a backend may include");
        }
    }
    return found;
}

inline complaints check_every_header_begins_alike(const tree& headers) {
    complaints found;
    for (const auto& [path, text] : headers) {
        const auto lines = lines_of(text);
        const auto directives = directives_of(without_comments(text));
        if (lines.empty() || lines[0] != "// SPDX-License-Identifier: MIT")
            found.push_back(at(path, 1) + "is not `// SPDX-License-Identifier: MIT`");
        if (lines.size() < 2 || !lines[1].starts_with("// "))
            found.push_back(at(path, 2) + "is not a comment that says what the header is for");
        if (directives.empty() || directives[0].name != "pragma" ||
            directives[0].argument != "once")
            found.push_back(path + ": the first directive is not #pragma once");
    }
    return found;
}

inline complaints check_every_macro_has_our_prefix(const tree& headers) {
    complaints found;
    for (const auto& [path, text] : headers) {
        for (const directive& d : directives_of(without_comments(text))) {
            if (d.name == "define" && !d.argument.starts_with("MULTIPROCESSING_"))
                found.push_back(at(path, d.line) + "#define " + d.argument +
                                " lacks the prefix MULTIPROCESSING_");
        }
    }
    return found;
}

/// The test of pool.hpp is pool.cpp, or what lies in pool/; `tests` holds the paths under tests/.
inline complaints check_every_public_header_has_a_test(const tree& headers,
                                                       const std::set<std::string>& tests) {
    complaints found;
    for (const auto& [path, text] : headers) {
        const std::string name = path.substr(0, path.rfind(".hpp"));
        const auto is_its_test = [&name](const std::string& test) {
            return test == name + ".cpp" || test.starts_with(name + "/");
        };
        if (is_public(path) && std::none_of(tests.begin(), tests.end(), is_its_test))
            found.push_back(path + ": has neither tests/" + name + ".cpp nor tests/" + name + "/");
    }
    return found;
}

}  // namespace house
