variable "project" {
  description = "The id of the Google Cloud project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "The id of a project has 6 to 30 lower-case letters, digits and hyphens, such as my-project."
  }
  validation {
    condition     = !startswith(var.project, "demo-")
    error_message = "A project whose name starts with demo- exists on emulators only."
  }
}

variable "region" {
  description = "Where everything runs and is stored."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region is named like europe-west1. Firestore's multi-regions don't run services."
  }
}

variable "build_region" {
  description = "Where the image is built, if not in the region: Cloud Build lets some projects build in a few regions only, such as us-central1 or europe-west1. The source lies there, too."
  type        = string
  default     = null

  validation {
    condition     = var.build_region == null || can(regex("^[a-z]+-[a-z]+[0-9]+$", var.build_region))
    error_message = "A build runs in one region, such as europe-west1."
  }
}

variable "public" {
  description = "Whether anybody may place orders and look at them. If not, only who has roles/run.invoker at the frontend."
  type        = bool
  nullable    = false
  default     = false
}

variable "customers" {
  description = "Whose ID tokens tell customers apart: the issuer's URL, the audience of its tokens, and the claim that is a user's name. Without it, whoever reaches the frontend may act for any user. Where the frontend is not public, Google's token goes into X-Serverless-Authorization, and the customer's into Authorization."
  type = object({
    issuer   = string
    audience = string
    claim    = optional(string, "sub")
  })
  default = null

  validation {
    condition     = var.customers == null ? true : can(regex("^https://[^ ?#@]+$", var.customers.issuer)) && try(length(var.customers.audience) > 0, false) && can(regex("^[^ ]{1,100}$", var.customers.claim))
    error_message = "Customers are told apart by an issuer with an https URL, an audience, and the name of a claim."
  }
}

variable "domain" {
  description = "The domain under which a load balancer makes one site of all that customers may ask, such as shop.example. Without it there is none, because it costs money even if nobody comes (README.md#what-it-costs); customers then reach the frontend alone."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain))
    error_message = "A domain is written in lower case, without https:// and without a dot at its end, such as shop.example."
  }
  validation {
    condition     = var.domain == null || var.public && var.customers != null
    error_message = "A domain needs public = true, because a load balancer has no identity that Cloud Run could check, and customers, because otherwise the whole internet could read everybody's address and invoices."
  }
}

variable "subscriber" {
  description = "How messages reach the services: pushed to them by Pub/Sub, or pulled by worker pools of the same image."
  type        = string
  nullable    = false
  default     = "push"

  validation {
    condition     = contains(["push", "pull"], var.subscriber)
    error_message = "Messages are either pushed or pulled: push or pull."
  }
}

variable "switching" {
  description = "Whether the rights of both are there, to push and to pull. Rights take minutes to spread: set it ten minutes before you change subscriber."
  type        = bool
  nullable    = false
  default     = false
}

variable "functions" {
  description = "The services whose messages are pushed to the function NAME-function, such as [\"order\"], as long as messages are pushed at all. Deploy it first: docs/operations/push-and-functions.md."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for service in var.functions : contains(local.readers, service)])
    error_message = "Only a service that reads messages can be a function: ${join(", ", local.readers)}."
  }
}

variable "telemetry" {
  description = "Where the services send traces and metrics: to the project's own Cloud Trace and Cloud Monitoring, or nowhere."
  type        = string
  nullable    = false
  default     = "google"

  validation {
    condition     = contains(["google", "off"], var.telemetry)
    error_message = "Telemetry is sent to Google or not at all: google or off."
  }
}

variable "operators" {
  description = "Who may call the janitor, whose routes show, steer and repair orders, such as user:jill@example.com. With nobody, it answers inside the project alone."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for member in var.operators : can(regex("^(user|group|serviceAccount):[^ :]+@[^ :]+$", member))])
    error_message = "An operator is a person, a group or a service account: user:…, group:… or serviceAccount:… with an address."
  }
}

variable "callers" {
  description = "Who may call which other service, such as { inventory = [\"group:warehouse@example.com\"] }. A service that is named here answers from outside; the others answer inside the project alone."
  type        = map(set(string))
  nullable    = false
  default     = {}

  validation {
    condition     = try(alltrue(flatten([for members in values(var.callers) : [for member in members : can(regex("^(user|group|serviceAccount):[^ :]+@[^ :]+$", member))]])), false)
    error_message = "A caller is a person, a group or a service account: user:…, group:… or serviceAccount:… with an address."
  }
  validation {
    condition     = alltrue([for service in keys(var.callers) : contains(keys(local.topology.services), service)])
    error_message = "There is no such service to call. There are ${join(", ", keys(local.topology.services))}."
  }
}

variable "image_tag" {
  description = "Which image runs. The tag is resolved when Terraform plans; latest is the newest build (README.md#day-by-day)."
  type        = string
  nullable    = false
  default     = "latest"

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag))
    error_message = "A tag has letters, digits, dots, hyphens and underscores."
  }
}

variable "instances_max" {
  description = "How many instances of a service may run. Each is one more writer who competes for the same stock."
  type        = number
  nullable    = false
  default     = 4

  validation {
    condition     = var.instances_max >= 1 && var.instances_max <= 100 && floor(var.instances_max) == var.instances_max
    error_message = "From 1 to 100 instances."
  }
}

variable "workers" {
  description = "How many instances of each worker pool run, where messages are pulled."
  type        = number
  nullable    = false
  default     = 1

  validation {
    condition     = var.workers >= 1 && var.workers <= 100 && floor(var.workers) == var.workers
    error_message = "From 1 to 100 workers."
  }
}

variable "deadline_seconds" {
  description = "How long an order may stand in one stage before it fails."
  type        = number
  nullable    = false
  default     = 900

  validation {
    condition     = var.deadline_seconds >= 1 && var.deadline_seconds <= 2592000 && floor(var.deadline_seconds) == var.deadline_seconds
    error_message = "From 1 second to 30 days."
  }
}

variable "log_level" {
  description = "The least severe line that is logged. With warn, the log does not say what was done, there are no service level objectives, and the lines are missing that docs/operations/backup-and-restore.md looks up after a restore."
  type        = string
  nullable    = false
  default     = "info"

  validation {
    # Not error, fatal or silent: alerts are raised by warnings.
    condition     = contains(["debug", "info", "warn"], var.log_level)
    error_message = "One of debug, info and warn: alerts need the warnings."
  }
}

variable "settings" {
  description = "Settings of single services, such as { payments = { PAYMENT_FAIL_EVERY = \"10\" } }. What is not set has its default, which .env.example explains."
  type        = map(map(string))
  nullable    = false
  default     = {}

  validation {
    # Null is neither a map of settings nor a value.
    condition     = try(alltrue(flatten([for service, own in var.settings : [for name, value in own : value != null && contains(local.known_settings, "${service}.${name}")]])), false)
    error_message = "A service has no such setting, or no value for it. There are ${join(", ", local.known_settings)}."
  }
}

variable "firestore_database" {
  description = "The Firestore database of the pipeline. Only (default) has a free quota."
  type        = string
  nullable    = false
  default     = "(default)"

  validation {
    condition     = var.firestore_database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.firestore_database))
    error_message = "Either (default), or 4 to 63 lower-case letters, digits and hyphens."
  }
}

variable "bigquery_events" {
  description = "Whether every event is written to BigQuery, too: docs/bigquery.md."
  type        = bool
  nullable    = false
  default     = false
}

variable "data_access_logs" {
  description = "Whether Cloud Audit Logs say who read or wrote the database, messages and secrets. What it costs: README.md#what-it-costs."
  type        = bool
  nullable    = false
  default     = false
}

variable "deletion_protection" {
  description = "Whether the database, the services and jobs, and the table of events refuse to be deleted. What keeps nothing and goes with another setting does not: worker pools, and what a domain brings. To destroy all, apply with false first."
  type        = bool
  nullable    = false
  default     = true
}

variable "alert_email" {
  description = "Who is told of alerts. Without it, they are seen in the console alone."
  type        = string
  default     = null

  validation {
    condition     = var.alert_email == null || can(regex("^[^@ ]+@[^@ ]+$", var.alert_email))
    error_message = "An e-mail address, such as oncall@example.com."
  }
}

variable "monthly_budget" {
  description = "How much a month may cost, in the currency of the billing account, before its administrators are told. Needs rights on the billing account; without it, there is no budget."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget == null ? true : var.monthly_budget >= 1 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "A whole number from 1."
  }
}
