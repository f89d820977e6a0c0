#pragma once

#include <vector>

namespace cnb {

// CPUs that the process' main thread may run on, ascending.
std::vector<int> allowed_cpus();

// The CPU under the calling thread at this moment.
int current_cpu();

// Restricts the calling thread to one CPU.
void pin_to_cpu(int cpu);

}  // namespace cnb
