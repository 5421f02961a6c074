// Any bytes as a compose file: read or refused with a place, never more than that.
#include "base/check.hpp"
#include "codec/json.hpp"
#include "codec/yaml.hpp"

using namespace davit::codec;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const document = parse_yaml({reinterpret_cast<char const*>(data), size}, "f.yaml");
  if (!document) {
    CHECK(document.error().message.starts_with("f.yaml:"), "{}", document.error().message);
    return 0;
  }
  auto const text = dump(document->root);
  CHECK(parse_json(text), "{}", text);
  for (auto const& [pointer, mark] : document->marks) CHECK(mark.line > 0 && mark.column > 0, "{}", pointer);
  return 0;
}
