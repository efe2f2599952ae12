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
  case storage(PickleStorage)
  case tensor(PickleTensor)
}

/// Lists, dictionaries and objects are filled after they were put on the stack, so they are shared.
final class PickleContainer {
  /// Elements; of dictionaries and objects keys and values in turn. The key of an object's attributes, all of them together, is none.
  var values: [PickleValue]
  /// What an object is, such as `argparse.Namespace`.
  let type: String

  init(_ values: [PickleValue] = [], type: String = "") {
    self.values = values
    self.type = type
  }
}

/// A reference to a storage: its type, the entry that holds its numbers, and how many there are.
final class PickleStorage {
  /// The type of one number; nil when it is not read here. An untyped storage counts bytes, and its tensors say their type.
  let type: ElementType?
  let name: String
  let key: String
  let count: Int

  init(type: ElementType?, name: String, key: String, count: Int) {
    (self.type, self.name, self.key, self.count) = (type, name, key, count)
  }
}

/// A view into a storage, checked to lie inside it.
final class PickleTensor {
  /// The type of one number; nil when it is not read here.
  let type: ElementType?
  let typeName: String
  let key: String
  /// How many numbers of that type the storage holds.
  let storageCount: Int
  let offset: Int
  let shape: [Int]
  let strides: [Int]

  init(
    type: ElementType?, typeName: String, key: String, storageCount: Int, offset: Int, shape: [Int],
    strides: [Int]
  ) {
    (self.type, self.typeName, self.key, self.storageCount) = (type, typeName, key, storageCount)
    (self.offset, self.shape, self.strides) = (offset, shape, strides)
  }
}
