// SPDX-License-Identifier: MIT
// Windows only: elsewhere tests/support/dns.sh has a real name server to ask.
//
// Answers as nslookup does where 127.0.0.1 knows the names that the examples ask for.
#include <cstdio>
#include <iostream>
#include <string>

#include <fcntl.h>
#include <io.h>

namespace {

void print_server() {
    std::printf("Server:\t\t127.0.0.1\nAddress:\t127.0.0.1#53\n\n");
}

int answer(const std::string& name, bool mail) {
    print_server();
    if (!mail && name == "www.python.org")
        std::printf("Name:\twww.python.org\nAddress: 192.0.2.80\n\n");
    else if (mail && name == "python.org")
        std::printf("python.org\tmail exchanger = 50 mail.python.org.\n\n");
    else
        return std::printf("** server can't find %s: NXDOMAIN\n\n", name.c_str()), 1;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    ::_setmode(1, _O_BINARY);
    if (argc > 1)
        return answer(argv[1], false);
    int status = 0;
    bool mail = false;
    for (std::string line; std::getline(std::cin, line) && line != "exit";) {
        if (line.starts_with("set q="))
            mail = line == "set q=mx";
        else
            status = answer(line, mail);
    }
    return status;
}
