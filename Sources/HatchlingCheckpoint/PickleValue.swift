/// What a pickle holds once it is read.
enum PickleValue {
  case none
  case mark
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  /// Something that can be shown and nothing else, such as an integer beyond 64 bits.
  case shown(String)
  /// A list or a tuple.
  case list(PickleContainer)
  case dictionary(PickleContainer)
  /// A value of a type that is not known here. Nothing of it was made or called: this is what the file says about it.
  case object(PickleContainer)
  /// The name of a class or function.
  case global(String)
  indirect case storage(PickleStorage)
  indirect case tensor(PickleTensor)
}

/// Lists, dictionaries and objects are filled after they were put on the stack, so they are shared.
final class PickleContainer {
  /// Elements; of dictionaries and objects keys and values in turn. The key of an object's attributes, all of them together, is none.
  var values: [PickleValue]
  /// What an object is, such as `argparse.Namespace`.
  let type: String

  init(_ values: [PickleValue] = [], type: String = "") {
    (self.values, self.type) = (values, type)
  }
}

/// A reference to a storage: its type, the entry that holds its numbers, and how many there are.
struct PickleStorage {
  /// The type of one number; nil when it is not read here. An untyped storage counts bytes, and its tensors say their type.
  var type: ElementType?
  var name: String
  let key: String
  var count: Int
}

/// A view into a storage, checked to lie inside it.
struct PickleTensor {
  /// The storage as this tensor sees it: the type of its numbers, and how many of that type there are.
  let storage: PickleStorage
  let offset: Int
  let shape, strides: [Int]
}
