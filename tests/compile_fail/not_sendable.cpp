// SPDX-License-Identifier: MIT
// Must not compile, and the diagnostic names the hook and the type. With
// MULTIPROCESSING_TEST_CONTROL it must compile: the failure is the type's, not the file's.
// expect: serialize\(Archive& ar\)
// expect: secret
#include <multiprocessing/detail/codec.hpp>

#include <vector>

class secret {
public:
    explicit secret(int value) : value_(value) {}
    int value() const { return value_; }
#if defined(MULTIPROCESSING_TEST_CONTROL)
    secret() = default;
    template <class Archive>
    void serialize(Archive& ar) {
        ar(value_);
    }
#endif

private:
    int value_ = 0;
};

struct job {
    int id;
    std::vector<secret> secrets;
};

int main() {
    return static_cast<int>(multiprocessing::detail::encode(job{1, {}}).size());
}
