// SPDX-License-Identifier: MIT
// Everything that CreateProcessW is told about a child, made ready before it is called.
#pragma once

#include <cstddef>
#include <system_error>

#include <multiprocessing/detail/os/launch_plan.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/job.hpp>
#include <multiprocessing/detail/windows/launch.hpp>

namespace multiprocessing::detail::windows {

/// All but the path of the program, of which several are tried. Stays where it is.
class prepared_launch {
public:
    handle tie;
    startup_information startup;
    launch_texts texts;

    /// On failure `step` says of what.
    std::error_code prepare(const launch_plan& plan, launch_step& step) {
        step = launch_step::tie;
        if (const auto ec = plan.tied ? create_tie(tie) : std::error_code())
            return ec;
        step = launch_step::streams;
        if (const auto ec = lend_streams(plan))
            return ec;
        step = launch_step::inherited;
        for (const native_handle object : plan.inherited)
            if (const auto ec = lent_.add(object))
                return ec;
        step = launch_step::start;
        if (const auto ec = set_attributes(plan))
            return ec;
        choose_window(plan);
        return texts.prepare(plan, step);
    }

    /// Whether the child gets any handles: those that are lent, or all that are marked.
    bool inherits(const launch_plan& plan) noexcept {
        return !lent_.list().empty() || !plan.close_others;
    }

private:
    /// A program that is to have a console of its own, or none, gets its streams from there.
    static bool is_for_own_console(const launch_plan& plan) noexcept {
        constexpr unsigned long new_console_or_detached = 0x18;
        return (plan.creation_flags & new_console_or_detached) != 0 &&
               plan.streams == decltype(plan.streams){no_handle, no_handle, no_handle};
    }

    /// Where this process has no such stream the child has none either.
    std::error_code lend_streams(const launch_plan& plan) {
        if (is_for_own_console(plan))
            return {};
        startup.flags |= startup_information::use_streams;
        for (int i = 0; i < 3; ++i) {
            const native_handle wanted = plan.streams[static_cast<std::size_t>(i)];
            const native_handle object = wanted != no_handle ? wanted : standard_stream(i);
            const auto ec = object != no_handle ? lent_.add(object) : std::error_code();
            if (ec && wanted != no_handle)
                return ec;
            startup.streams[i] = ec || object == no_handle ? nullptr : to_system(object);
        }
        return {};
    }

    std::error_code set_attributes(const launch_plan& plan) {
        if (const auto ec = attributes_.create(2))
            return ec;
        startup.attributes = attributes_.get();
        if (plan.close_others && !lent_.list().empty())
            if (const auto ec = attributes_.set(process_attributes::handle_list, lent_.list()))
                return ec;
        job_ = to_system(tie.get());
        return tie ? attributes_.set(process_attributes::job_list, {&job_, 1}) : std::error_code();
    }

    void choose_window(const launch_plan& plan) noexcept {
        if (!plan.show_window)
            return;
        startup.flags |= startup_information::use_show_window;
        startup.show_window = *plan.show_window;
    }

    lent_handles lent_;
    process_attributes attributes_;
    api::handle_value job_ = nullptr;
};

}  // namespace multiprocessing::detail::windows
