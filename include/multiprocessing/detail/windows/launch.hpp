// SPDX-License-Identifier: MIT
// A launch_plan as CreateProcessW wants it: texts, handles that are lent, attributes.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/command_line.hpp>
#include <multiprocessing/detail/os/launch_plan.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/text.hpp>
#include <multiprocessing/detail/windows_environment.hpp>

namespace multiprocessing::detail::windows {

// A handle reaches a child under the same value if it is named in the launch's list and marked as
// inherited at that moment. Two threads may start children with the same handle, so the mark is
// counted: set by the first, taken off by the last. No other child of the library's gets the handle
// meanwhile: each has a list of its own, or starts while no handle is lent to another. What else in
// the program starts children without a list may give it to them.

class inheritance_marks {
public:
    static inheritance_marks& instance() {
        static inheritance_marks* const marks =
            new inheritance_marks;  // Never destroyed: used until the end.
        return *marks;
    }

    std::error_code add(native_handle object) {
        const std::lock_guard lock(mutex_);
        const auto found = find(object);
        if (found != marks_.end()) {
            ++found->users;
            return {};
        }
        api::dword flags = 0;
        if (api::GetHandleInformation(to_system(object), &flags) == 0)
            return last_error();
        marks_.push_back({object, 1, (flags & inherit_flag) != 0});
        if (api::SetHandleInformation(to_system(object), inherit_flag, inherit_flag) != 0)
            return {};
        marks_.pop_back();
        return last_error();
    }
    void remove(native_handle object) noexcept {
        const std::lock_guard lock(mutex_);
        const auto found = find(object);
        if (--found->users != 0)
            return;
        if (!found->marked_by_user)
            api::SetHandleInformation(to_system(object), inherit_flag, 0);  // It could be set.
        marks_.erase(found);
    }

private:
    struct mark {
        native_handle object;
        int users;
        bool marked_by_user;
    };

    std::vector<mark>::iterator find(native_handle object) noexcept {
        return detail::find_if(marks_.begin(), marks_.end(),
                               [object](const mark& one) { return one.object == object; });
    }

    std::mutex mutex_;
    std::vector<mark> marks_;
};

/// When a child may be started: those with a list at any time but for that of one without.
class launch_turn {
public:
    explicit launch_turn(bool with_list) {
        if (with_list)
            with_list_ = std::shared_lock(mutex());
        else
            alone_ = std::unique_lock(mutex());
    }

private:
    static std::shared_mutex& mutex() {
        static std::shared_mutex* const one =
            new std::shared_mutex;  // Never destroyed: used until the end.
        return *one;
    }

    std::shared_lock<std::shared_mutex> with_list_;
    std::unique_lock<std::shared_mutex> alone_;
};

/// The handles that one child is to inherit, each once, marked for as long as this lives.
class lent_handles {
public:
    lent_handles() = default;
    lent_handles(const lent_handles&) = delete;
    lent_handles& operator=(const lent_handles&) = delete;
    ~lent_handles() {
        for (const api::handle_value object : objects_)
            inheritance_marks::instance().remove(from_system(object));
    }

    std::error_code add(native_handle object) {
        if (detail::find(objects_.begin(), objects_.end(), to_system(object)) != objects_.end())
            return {};
        if (object == no_handle)
            return std::make_error_code(std::errc::bad_file_descriptor);
        objects_.reserve(objects_.size() + 1);
        if (const auto ec = inheritance_marks::instance().add(object))
            return ec;
        objects_.push_back(to_system(object));
        return {};
    }

    std::span<api::handle_value> list() noexcept { return objects_; }

private:
    std::vector<api::handle_value> objects_;
};

/// What CreateProcessW is told beyond its parameters.
class process_attributes {
public:
    process_attributes() = default;
    process_attributes(const process_attributes&) = delete;
    process_attributes& operator=(const process_attributes&) = delete;
    ~process_attributes() {
        if (list_ != nullptr)
            api::DeleteProcThreadAttributeList(list_);
    }

    std::error_code create(api::dword most) {
        api::size_type bytes = 0;
        api::InitializeProcThreadAttributeList(nullptr, most, 0, &bytes);  // It fails: it measures.
        memory_ = std::make_unique<std::byte[]>(bytes);
        auto* const list = reinterpret_cast<::_PROC_THREAD_ATTRIBUTE_LIST*>(memory_.get());
        if (api::InitializeProcThreadAttributeList(list, most, 0, &bytes) == 0)
            return last_error();
        list_ = list;
        return {};
    }
    /// The handles must stay where they are.
    std::error_code set(api::size_type attribute, std::span<api::handle_value> handles) noexcept {
        return error_unless(api::UpdateProcThreadAttribute(list_, 0, attribute, handles.data(),
                                                           handles.size_bytes(), nullptr, nullptr));
    }
    ::_PROC_THREAD_ATTRIBUTE_LIST* get() const noexcept { return list_; }

    static constexpr api::size_type handle_list = 0x20002;
    static constexpr api::size_type job_list = 0x2000D;

private:
    std::unique_ptr<std::byte[]> memory_;
    ::_PROC_THREAD_ATTRIBUTE_LIST* list_ = nullptr;
};

/// The system's STARTUPINFOEXW.
struct startup_information {
    api::dword bytes = sizeof(startup_information);
    wchar_t* reserved = nullptr;
    wchar_t* desktop = nullptr;
    wchar_t* title = nullptr;
    api::dword places[7] = {};
    api::dword flags = 0;
    unsigned short show_window = 0;
    unsigned short reserved_bytes = 0;
    unsigned char* reserved_data = nullptr;
    api::handle_value streams[3] = {};
    ::_PROC_THREAD_ATTRIBUTE_LIST* attributes = nullptr;

    static constexpr api::dword use_show_window = 1;
    static constexpr api::dword use_streams = 0x100;
};

/// The system's PROCESS_INFORMATION.
struct process_information {
    api::handle_value process = nullptr;
    api::handle_value thread = nullptr;
    api::dword process_id = 0;
    api::dword thread_id = 0;
};

/// The texts of a launch, in UTF-16.
struct launch_texts {
    std::wstring arguments;
    std::wstring environment;
    std::wstring directory;

    std::error_code prepare(const launch_plan& plan, launch_step& step) {
        step = launch_step::program;
        if (const auto ec = to_wide(plan.command_line.empty() ? windows_command_line(plan.arguments)
                                                              : plan.command_line,
                                    arguments))
            return ec;
        if (plan.environment)
            if (const auto ec = to_wide(windows_environment_block(*plan.environment), environment))
                return ec;
        step = launch_step::directory;
        return to_wide(plan.directory, directory);
    }
};

}  // namespace multiprocessing::detail::windows
