// SPDX-License-Identifier: MIT
// Runs a test over every start method there is.
#pragma once

#include <multiprocessing/context.hpp>

#include "support/catch.hpp"

#define EVERY_START_METHOD GENERATE(from_range(::multiprocessing::get_all_start_methods()))
