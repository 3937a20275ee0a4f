// SPDX-License-Identifier: MIT
#include "support/files.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace support {

multiprocessing::detail::handle open_something() {
    return multiprocessing::detail::handle(::open(null_device, O_RDONLY | O_CLOEXEC));
}

bool is_open(multiprocessing::detail::native_handle object) {
    return ::fcntl(object, F_GETFD) != -1;
}

multiprocessing::detail::native_handle never_opened() {
    return 1'000'000;
}

bool is_inherited(multiprocessing::detail::native_handle object) {
    const int flags = ::fcntl(object, F_GETFD);
    return flags != -1 && (flags & FD_CLOEXEC) == 0;
}

void make_inherited(multiprocessing::detail::native_handle object) {
    ::fcntl(object, F_SETFD, 0);
}

closed_streams::closed_streams() {
    for (int fd = 0; fd < 3; ++fd) {
        copies_[fd] = ::fcntl(fd, F_DUPFD_CLOEXEC, 20);
        ::close(fd);
    }
}

closed_streams::~closed_streams() {
    for (int fd = 0; fd < 3; ++fd) {
        ::dup2(copies_[fd], fd);
        ::close(copies_[fd]);
    }
}

}  // namespace support
