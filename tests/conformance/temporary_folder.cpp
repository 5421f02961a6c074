#include "conformance/temporary_folder.hpp"

#include <cstdlib>
#include <string>

#include "base/check.hpp"

namespace davit::conformance {

TemporaryFolder::TemporaryFolder(std::filesystem::path const& parent) {
  std::string name = (parent / "davit-test-XXXXXX").string();
  CHECK(::mkdtemp(name.data()) != nullptr, "cannot make a folder like {}", name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace davit::conformance
