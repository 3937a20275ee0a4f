// SPDX-License-Identifier: MIT
// Everything: Python's multiprocessing and subprocess for C++.
#pragma once

#include <multiprocessing/config.hpp>
#include <multiprocessing/connection.hpp>
#include <multiprocessing/context.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/futures.hpp>
#include <multiprocessing/os.hpp>
#include <multiprocessing/pool.hpp>
#include <multiprocessing/process.hpp>
#include <multiprocessing/queues.hpp>
#include <multiprocessing/spawn.hpp>
#include <multiprocessing/subprocess.hpp>
#include <multiprocessing/thread_pool.hpp>
