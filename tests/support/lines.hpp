// SPDX-License-Identifier: MIT
// The lines that an example printed, looked for by regular expressions.
#pragma once

#include <cstddef>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace support {

class lines {
public:
    explicit lines(const std::string& text) {
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);)
            lines_.push_back(line);
    }

    std::size_t size() const noexcept { return lines_.size(); }

    struct found {
        std::size_t place = 0;
        std::string value;  // What the expression's group stands for; empty if it has none.
    };

    /// The one line that the expression matches as a whole. Throws where there is none or another.
    found only(const std::string& expression) const {
        const std::vector<found> all = each(expression);
        if (all.size() != 1)
            throw std::runtime_error(std::to_string(all.size()) + " lines match " + expression);
        return all.front();
    }

    std::vector<found> each(const std::string& expression) const {
        const std::regex regex(expression);
        std::vector<found> all;
        std::smatch match;
        for (std::size_t i = 0; i < lines_.size(); ++i)
            if (std::regex_match(lines_[i], match, regex))
                all.push_back({i, match.size() > 1 ? match[1].str() : std::string()});
        return all;
    }

private:
    std::vector<std::string> lines_;
};

}  // namespace support
