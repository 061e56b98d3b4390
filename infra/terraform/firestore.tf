resource "google_firestore_database" "database" {
  name        = var.firestore_database
  location_id = var.region
  type        = "FIRESTORE_NATIVE"

  # Commits are guarded by the versions that were read and take no locks before (docs/decisions/0002). Under
  # PESSIMISTIC, the default, they would also wait for each other's locks.
  concurrency_mode = "OPTIMISTIC"

  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  # Otherwise terraform destroy would leave it behind, and the next apply would find the name taken.
  deletion_policy = "DELETE"

  depends_on = [google_project_service.api]
}

# The database itself leads back to each minute of the last seven days, a backup to one moment of each day, and it outlives
# the database. What a restore does to orders: docs/operations/backup-and-restore.md.
resource "google_firestore_backup_schedule" "daily" {
  database  = google_firestore_database.database.name
  retention = "${local.backup_days * 24 * 60 * 60}s"

  daily_recurrence {}
}

locals {
  backup_days = 14

  firestore = jsondecode(file("${path.module}/../firestore.indexes.json"))
}

# Listings and sweeps. The last field, __name__, follows the one before it, so Firestore adds it by itself.
resource "google_firestore_index" "index" {
  for_each = {
    for index in local.firestore.indexes :
    join("/", concat([index.collectionGroup], [for field in index.fields : "${field.fieldPath} ${lower(try(field.order, field.arrayConfig))}"])) => index
  }
  database    = google_firestore_database.database.name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = [for field in each.value.fields : field if field.fieldPath != "__name__"]
    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)
    }
  }
}

# Fields without an index of their own: an index on a field that grows with time would limit the whole collection to some
# 500 writes a second. And the fields by which documents expire.
resource "google_firestore_field" "field" {
  for_each   = { for field in local.firestore.fieldOverrides : "${field.collectionGroup}/${field.fieldPath}" => field }
  database   = google_firestore_database.database.name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes
      content {
        order       = indexes.value.order
        query_scope = indexes.value.queryScope
      }
    }
  }

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? [true] : []
    content {}
  }
}
