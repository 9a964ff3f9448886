// What a data_dir has beside its checkpoints: the outbox and the references, looked at for `driftd store verify`.
#pragma once

#include <string>

namespace driftd::app {

// Prints a line for outbox.db and for references.db: that it is whole, what is damaged, or that there is none. Only
// reads, also what a running driftd has open. False: one is damaged or cannot be read. Cost: reads all of both files.
bool print_store_files(const std::string& data_dir);

}  // namespace driftd::app
